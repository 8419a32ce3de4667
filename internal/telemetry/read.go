package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Read is the telemetry of a read that goes beyond a hit in L1, or of the call of
// a loader.
type Read struct{ operation }

// StartRead begins to observe a read and returns the context for all that
// belongs to it. The zero Read is ready.
func (t *Telemetry) StartRead(ctx context.Context, r *Read, key string) context.Context {
	return r.begin(ctx, t, tier.Get, key)
}

// StartLoad begins to observe the call of a loader.
func (t *Telemetry) StartLoad(ctx context.Context, r *Read, key string) context.Context {
	return r.begin(ctx, t, tier.Load, key)
}

// FailedBefore is for an L1 that was asked before the read was observed, and
// failed.
func (r *Read) FailedBefore(ctx context.Context, err error) {
	var c TierCall
	ctx = r.StartTier(ctx, &c, tier.L1, tier.Get)
	defer c.End()
	c.Found(ctx, tier.LookupError, err)
}

// Shared notes that the read waits for the load of another caller, and links to
// that caller's span.
func (r *Read) Shared(leader trace.SpanContext) {
	if r.span == nil {
		return
	}
	setAttributes(r.span, tracing.AttrLoadShared.Bool(true))
	if leader.IsValid() {
		addLink(r.span, leader)
	}
}

// SpanContext is that of the read, for links.
func (r *Read) SpanContext() trace.SpanContext {
	if r.span == nil {
		return trace.SpanContext{}
	}
	return spanContext(r.span)
}

// ReadResult is the result of a read.
type ReadResult struct {
	Found  tier.Lookup
	Tier   tier.ID // that had the value; 0: none
	Refill tier.Refilled
	Age    time.Duration // of a stale value, since it expired
}

// Returned notes the result of a read, and ends it. That there is no value is no
// error.
func (r *Read) Returned(ctx context.Context, result ReadResult, err error) {
	failed := err
	if errors.Is(err, backends.ErrNotFound) {
		failed = nil
	}
	if r.span != nil {
		defer r.endSpan(result, failed) // even if measuring ends the goroutine
	}
	r.measure(ctx, failed)
}

func (r *Read) endSpan(result ReadResult, failed error) {
	isLoad := r.template == &r.tel.operations[tier.Load]
	if !isLoad {
		setAttributes(r.span, r.tel.readEnds[result.Found]...)
	}
	if result.Tier != 0 {
		setAttributes(r.span, tracing.AttrTier.String(result.Tier.String()))
	}
	if result.Refill != tier.NotRefilled {
		setAttributes(r.span, tracing.AttrRefill.String(result.Refill.String()))
	}
	if result.Found == tier.LookupStale {
		setAttributes(r.span, tracing.AttrStaleAge.Float64(result.Age.Seconds()))
	}
	switch {
	case failed == nil:
	case isLoad:
		failStack(r.span, failed)
	default:
		fail(r.span, failed)
	}
	endSpan(r.span)
}
