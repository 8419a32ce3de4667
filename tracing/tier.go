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

// StartTier begins to observe a call and returns the context for it. Where the
// write's own span does not record, none is started for the tier.
func (w *Write) StartTier(ctx context.Context, c *TierCall, tier writepolicy.TierID, call Call) context.Context {
	t := w.tel
	*c = TierCall{tel: t, site: &t.tiers[tier-writepolicy.L1][call]}
	if t.meters != nil && t.meters.tierOperations.Enabled(ctx) {
		c.start = time.Now()
	}
	if w.span != nil {
		ctx, c.span = t.tracer.Start(ctx, c.site.name, c.site.start...) //nolint:spancheck // ended by End
	}
	return ctx
}

// Done says what became of the call.
func (c *TierCall) Done(ctx context.Context, outcome writepolicy.Outcome, err error) {
	if !c.start.IsZero() {
		c.site.durations[outcome].record(ctx, c.tel.meters.tierOperations, c.start, err)
	}
	if c.span == nil {
		return
	}
	c.span.SetAttributes(c.site.ends[outcome]...)
	if err == nil {
		return
	}
	fail(c.span, err)
	if p, ok := errors.AsType[*backends.PanicError](err); ok {
		c.span.SetAttributes(semconv.ExceptionStacktrace(string(p.Stack)))
	}
}

// End ends the span.
func (c *TierCall) End() {
	if c.span != nil {
		c.span.End()
	}
}
