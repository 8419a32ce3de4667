package telemetry

import (
	"context"
	"errors"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// TierCall is the telemetry of one call of a tier. It belongs to one goroutine.
type TierCall struct {
	tel      *Telemetry
	template *callTemplate
	span     trace.Span // nil when it does not record
	start    time.Time  // zero when it is not measured
}

func (c *TierCall) begin(ctx context.Context, t *Telemetry, traced bool, id tier.ID, kind tier.Kind) context.Context {
	*c = TierCall{tel: t, template: &t.calls.At(id)[kind]}
	if t.meters != nil && measures(ctx, t.meters.tierOperations) {
		c.start = time.Now()
	}
	if traced {
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
	if c.span != nil {
		defer c.describeEnd(end, err) // even if measuring ends the goroutine
	}
	if !c.start.IsZero() {
		c.template.durations[end].record(ctx, c.tel.meters.tierOperations, c.start, err)
	}
}

func (c *TierCall) describeEnd(end int, err error) {
	setAttributes(c.span, c.template.ends[end]...)
	if err != nil {
		failStack(c.span, err)
	}
}

// failStack is fail, with the stack of a panic.
func failStack(span trace.Span, err error) {
	fail(span, err)
	if p, ok := errors.AsType[*backends.PanicError](err); ok {
		setAttributes(span, semconv.ExceptionStacktrace(string(p.Stack)))
	}
}

// End ends the span.
func (c *TierCall) End() {
	if c.span != nil {
		endSpan(c.span)
	}
}
