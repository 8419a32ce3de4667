package tracing

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/errtype"
)

// opSite is what all operations of one sort share.
type opSite struct {
	name      string
	start     []trace.SpanStartOption
	durations durations
}

func newOpSite(name string, attrs attributes) opSite {
	return opSite{name, []trace.SpanStartOption{trace.WithAttributes(attrs...)}, newDurations(attrs)}
}

// operation is what the telemetry of writes, reads and loads has in common.
type operation struct {
	tel   *Telemetry
	site  *opSite
	span  trace.Span // nil when it does not record
	start time.Time  // zero when it is not measured
	key   string     // as it may be shown
}

// begin starts what is on. The zero operation is ready.
func (o *operation) begin(ctx context.Context, t *Telemetry, site *opSite, key string) context.Context {
	o.tel, o.site = t, site
	if t.key != nil {
		o.key = t.key(key)
	}
	if t.meters != nil && t.meters.operations.Enabled(ctx) {
		o.start = time.Now()
	}
	if t.tracer == nil {
		return ctx
	}
	opts := site.start
	if t.key != nil {
		opts = append(slices.Clip(opts), trace.WithAttributes(AttrKey.String(o.key)))
	}
	ctx, span := t.tracer.Start(ctx, site.name, opts...) //nolint:spancheck // the operation ends it
	if span.IsRecording() {
		o.span = span
	}
	return ctx
}

// StartTier begins to observe a call of a tier and returns the context for it.
// Where the operation's own span does not record, none is started for the tier.
func (o *operation) StartTier(ctx context.Context, c *TierCall, tier TierID, call Call) context.Context {
	return c.begin(ctx, o.tel, o.span != nil, tier, call)
}

// measure records how long the operation took.
func (o *operation) measure(ctx context.Context, err error) {
	if !o.start.IsZero() {
		o.site.durations.record(ctx, o.tel.meters.operations, o.start, err)
	}
}

// End ends the span. Calls of tiers that go on still belong to it.
func (o *operation) End() {
	if o.span != nil {
		o.span.End()
	}
}

// fail marks the span of what failed with err.
func fail(span trace.Span, err error) {
	span.SetStatus(codes.Error, err.Error())
	span.SetAttributes(errorType(err))
}

func errorType(err error) attribute.KeyValue { return semconv.ErrorTypeKey.String(errtype.Of(err)) }
