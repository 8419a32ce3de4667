package tracing

import (
	"context"
	"errors"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/writepolicy"
)

// TierCall is the telemetry of one call of a tier. It belongs to one goroutine.
type TierCall struct {
	tel   *Telemetry
	site  *callSite
	span  trace.Span // nil when it does not record
	start time.Time  // zero when it is not measured
}

func (c *TierCall) begin(ctx context.Context, t *Telemetry, traced bool, tier TierID, call Call) context.Context {
	*c = TierCall{tel: t, site: &t.tiers[tier-writepolicy.L1][call]}
	if t.meters != nil && t.meters.tierOperations.Enabled(ctx) {
		c.start = time.Now()
	}
	if traced {
		ctx, c.span = t.tracer.Start(ctx, c.site.name, c.site.start...) //nolint:spancheck // ended by End
	}
	return ctx
}

// Done says what became of the call.
func (c *TierCall) Done(ctx context.Context, outcome writepolicy.Outcome, err error) {
	c.done(ctx, int(outcome), err)
}

// Found says what a get found: LookupHit, LookupMiss or LookupError.
func (c *TierCall) Found(ctx context.Context, found Lookup, err error) {
	c.done(ctx, int(found), err)
}

func (c *TierCall) done(ctx context.Context, end int, err error) {
	if !c.start.IsZero() {
		c.site.durations[end].record(ctx, c.tel.meters.tierOperations, c.start, err)
	}
	if c.span == nil {
		return
	}
	c.span.SetAttributes(c.site.ends[end]...)
	if err == nil {
		return
	}
	failStack(c.span, err)
}

// failStack is fail for what may have panicked.
func failStack(span trace.Span, err error) {
	fail(span, err)
	if p, ok := errors.AsType[*backends.PanicError](err); ok {
		span.SetAttributes(semconv.ExceptionStacktrace(string(p.Stack)))
	}
}

// End ends the span.
func (c *TierCall) End() {
	if c.span != nil {
		c.span.End()
	}
}
