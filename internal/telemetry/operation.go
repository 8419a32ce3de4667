package telemetry

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/errtype"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// operation is the common part of writes, reads and loads.
type operation struct {
	tel      *Telemetry
	template *opTemplate
	span     trace.Span // nil when it does not record
	start    time.Time  // zero when it is not measured
	key      string     // as it may be shown
	silent   bool       // part of a batch, which is observed in its place

	// spent is the time, in nanoseconds, of calls of tiers that have no span. Calls
	// may overlap.
	spent tier.Pair[atomic.Int64]
}

// begin starts the signals that are on. The zero operation is ready. It is small, so
// that an operation without telemetry pays for nothing but a comparison.
func (o *operation) begin(ctx context.Context, t *Telemetry, kind tier.Kind, key string) context.Context {
	o.tel = t
	if !t.active {
		return ctx
	}
	return o.observe(ctx, &t.operations[kind], key)
}

func (o *operation) observe(ctx context.Context, template *opTemplate, key string) context.Context {
	t := o.tel
	o.template = template
	if t.key != nil && key != "" {
		o.key = formatKey(t.key, key)
	}
	if t.meters != nil && measures(ctx, t.meters.operations) {
		o.start = time.Now()
	}
	if t.tracer == nil {
		return ctx
	}
	opts := o.template.start
	if o.key != "" {
		opts = append(slices.Clip(opts), trace.WithAttributes(tracing.AttrKey.String(o.key)))
	}
	ctx, span := startSpan(ctx, t.tracer, o.template.name, opts)
	if span != nil && recording(span) {
		o.span = span
	}
	return ctx
}

// StartTier begins to observe a call of a tier and returns the context for it.
// Where the operation's own span does not record, the tier gets none.
func (o *operation) StartTier(ctx context.Context, c *TierCall, id tier.ID, kind tier.Kind) context.Context {
	if o.silent {
		*c = TierCall{op: o}
		return ctx
	}
	return c.begin(ctx, o, &o.tel.calls.At(id)[kind])
}

// setDurations shows the time of calls without spans.
func (o *operation) setDurations() {
	if ns := o.spent.L1.Load(); ns > 0 {
		setAttributes(o.span, tracing.AttrL1Duration.Float64(time.Duration(ns).Seconds()))
	}
	if ns := o.spent.L2.Load(); ns > 0 {
		setAttributes(o.span, tracing.AttrL2Duration.Float64(time.Duration(ns).Seconds()))
	}
}

// measure records the duration of the operation.
func (o *operation) measure(ctx context.Context, err error) {
	if !o.start.IsZero() {
		o.template.durations.record(ctx, o.tel.meters.operations, o.start, err)
	}
}

// End ends the span. Calls of tiers that go on still belong to it.
func (o *operation) End() { o.Span().End() }

// Span is the span of an operation. It can be ended when the operation is in use again.
type Span struct{ span trace.Span }

// Span returns the operation's.
func (o *operation) Span() Span { return Span{o.span} }

// End ends the span, if there is one.
func (s Span) End() {
	if s.span != nil {
		endSpan(s.span)
	}
}

func errorType(err error) attribute.KeyValue { return semconv.ErrorTypeKey.String(errtype.Of(err)) }
