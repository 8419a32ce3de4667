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

// Read is the telemetry of a read that goes beyond a hit in L1.
type Read struct{ operation }

// StartRead begins to observe a read and returns the context for all that
// belongs to it. The zero Read is ready.
func (t *Telemetry) StartRead(ctx context.Context, r *Read, key string) context.Context {
	return r.begin(ctx, t, tier.Get, key)
}

// Continue makes r, which must be zero, observe the further calls of a read that has
// begun. The times of calls without spans are each one's own.
func (r *Read) Continue(begun *Read) {
	r.tel, r.template, r.span, r.start, r.key = begun.tel, begun.template, begun.span, begun.start, begun.key
	r.silent = begun.silent
}

// StartRefresh makes r, which must be zero, the read of a refresh in the background. It has
// no span of its own: those of its calls are children of the span in ctx, if that is sampled.
func (t *Telemetry) StartRefresh(ctx context.Context, r *Read) {
	r.tel = t
	if span := trace.SpanFromContext(ctx); t.tracer != nil && spanContext(span).IsSampled() {
		r.span = span
	}
}

// FailedBefore is for an L1 that was asked before the read was observed, and
// failed.
func (r *Read) FailedBefore(ctx context.Context, err error) {
	var c TierCall
	ctx = r.StartTier(ctx, &c, tier.L1, tier.Get)
	defer c.End()
	c.Found(ctx, tier.LookupError, err)
}

// Shared links the read to the span of the caller for whose load it waits.
func (r *Read) Shared(leader trace.SpanContext) {
	if r.span != nil && leader.IsValid() {
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
	Kept   bool          // a loaded value that L2 did not take
	Shared bool          // the result of another caller's load
	Age    time.Duration // of a stale value, since it expired

	// Suspect says that a stale value has not expired, but may have been replaced by
	// another process.
	Suspect bool
}

// Returned notes the result of a read, and ends it. A miss is no error.
func (r *Read) Returned(ctx context.Context, result ReadResult, err error) {
	if r.span != nil || r.tel.meters != nil {
		r.returned(ctx, result, err)
	}
}

func (r *Read) returned(ctx context.Context, result ReadResult, err error) {
	failed := err
	if errors.Is(err, backends.ErrNotFound) {
		failed = nil
	}
	if r.span != nil {
		defer r.endSpan(result, failed) // even if measuring ends the goroutine
	}
	e := readEvent(result)
	if m := r.tel.meters; m != nil {
		m.counts.add(e)
		if !r.start.IsZero() {
			r.tel.readDurations[e].record(ctx, m.operations, r.start, failed)
		}
		if result.Found == tier.LookupStale && !result.Suspect {
			m.recordSeconds(ctx, m.staleAge, result.Age)
		}
	}
}

func (r *Read) endSpan(result ReadResult, failed error) {
	setAttributes(r.span, r.tel.readEnds[readEvent(result)]...)
	if result.Tier != 0 {
		setAttributes(r.span, tracing.AttrTier.String(result.Tier.String()))
	}
	if result.Refill != tier.NotRefilled {
		setAttributes(r.span, tracing.AttrRefill.String(result.Refill.String()))
	}
	switch {
	case result.Found != tier.LookupStale:
	case result.Suspect:
		setAttributes(r.span, tracing.AttrStaleReason.String("coherence"))
	default:
		setAttributes(r.span, tracing.AttrStaleReason.String("expired"), tracing.AttrStaleAge.Float64(result.Age.Seconds()))
	}
	r.setDurations()
	if failed != nil {
		fail(r.span, failed)
	}
	endSpan(r.span)
}

// Load is the telemetry of one call of a loader.
type Load struct{ operation }

// StartLoad begins to observe the call of a loader.
func (t *Telemetry) StartLoad(ctx context.Context, l *Load, key string) context.Context {
	return l.begin(ctx, t, tier.Load, key)
}

// Returned notes the loader's error, and ends the call. A missing value is no error.
func (l *Load) Returned(ctx context.Context, err error) {
	if errors.Is(err, backends.ErrNotFound) {
		err = nil
	}
	if l.span != nil {
		defer l.describeEnd(err) // even if measuring ends the goroutine
	}
	l.measure(ctx, err)
}

func (l *Load) describeEnd(err error) {
	defer endSpan(l.span)
	if err != nil {
		failStack(l.span, err)
	}
}

// LoadActive adds n to the number of loads under way.
func (t *Telemetry) LoadActive(n int64) {
	if t.meters != nil {
		t.meters.loads.Add(n)
	}
}
