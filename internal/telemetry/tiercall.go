package telemetry

import (
	"context"
	"errors"
	"slices"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/errtype"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

// TierCall is the telemetry of one call of a tier. It belongs to one goroutine, unless
// [TierCall.Share] has shared it.
type TierCall struct {
	op       *operation
	template *callTemplate
	traced   bool       // the operation's span records
	span     trace.Span // nil: the call has none, or not yet
	start    time.Time  // zero when nobody asks for it
	shared   *shared    // nil: the call is that of one write
	ended    time.Time  // of a shared one: its span may wait for events
}

func (c *TierCall) begin(ctx context.Context, o *operation, template *callTemplate) context.Context {
	t := o.tel
	*c = TierCall{op: o, template: template, traced: o.span != nil}
	spanless := c.traced && !c.template.span
	if spanless || t.meters != nil && measures(ctx, t.meters.tierOperations) {
		c.start = time.Now()
	}
	if c.traced && !spanless {
		ctx, c.span = startSpan(ctx, t.tracer, c.template.name, c.template.start)
	}
	return ctx
}

// Done notes the outcome of a write.
func (c *TierCall) Done(ctx context.Context, outcome tier.Outcome, err error) {
	c.done(ctx, int(outcome), err)
}

// Found notes the result of a get: LookupHit, LookupMiss or LookupError.
func (c *TierCall) Found(ctx context.Context, found tier.Lookup, err error) {
	c.done(ctx, int(found), err)
}

func (c *TierCall) done(ctx context.Context, end int, err error) {
	if c.traced {
		defer c.describeEnd(ctx, end, err) // even if measuring ends the goroutine
	}
	if c.shared != nil && c.traced {
		c.ended = time.Now()
	}
	if m := c.op.tel.meters; m != nil && !c.start.IsZero() {
		c.template.durations[end].record(ctx, m.tierOperations, c.start, err)
	}
}

func (c *TierCall) describeEnd(ctx context.Context, end int, err error) {
	if err != nil {
		c.makeSpan(ctx)
	} else if c.span == nil {
		c.op.spent.At(c.template.tier).Add(int64(time.Since(c.start)))
	}
	if c.span == nil {
		return
	}
	setAttributes(c.span, c.template.ends[end]...)
	if err != nil {
		failStack(c.span, err)
		if code := statusCode(err); code != "" && c.template.database {
			setAttributes(c.span, semconv.DBResponseStatusCode(code))
		}
	}
}

// makeSpan makes the span of a call that should have none, because it has failed or
// gets the event.
func (c *TierCall) makeSpan(ctx context.Context) {
	if c.span == nil && c.traced {
		opts := append(slices.Clip(c.template.start), trace.WithTimestamp(c.start))
		_, c.span = startSpan(ctx, c.op.tel.tracer, c.template.name, opts)
	}
}

// failStack is fail, with the stack of a panic.
func failStack(span trace.Span, err error) {
	fail(span, err)
	if p, ok := errors.AsType[*backends.PanicError](err); ok {
		setAttributes(span, semconv.ExceptionStacktrace(string(p.Stack)))
	}
}

// statusCode returns the code of a store's error reply, where its error knows it.
func statusCode(err error) (code string) {
	defer guard.Report()
	coded, ok := errors.AsType[interface {
		error
		ResponseStatusCode() string
	}](err)
	if ok && errtype.Valid(coded.ResponseStatusCode()) {
		return coded.ResponseStatusCode()
	}
	return ""
}

// Link links the span to that of the write which made the value, if its note says so.
func (c *TierCall) Link(note []byte) {
	if c.span == nil {
		return
	}
	if sc := ReadNote(note); sc.IsValid() {
		addLink(c.span, sc)
	}
}

// End ends the span, or takes off one of those who share it.
func (c *TierCall) End() {
	switch {
	case !c.shared.last() || c.span == nil:
	case c.ended.IsZero():
		endSpan(c.span)
	default:
		endSpan(c.span, trace.WithTimestamp(c.ended))
	}
}
