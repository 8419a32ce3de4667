package tracing

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/writepolicy"
)

// readSites are what all reads share.
type readSites struct {
	get, load opSite
	found     [LookupStale + 1]attributes
}

func (t *Telemetry) buildReads() {
	attrs := attributes{
		AttrCache.String(t.target.Cache), AttrOperation.String("get"), AttrPolicy.String(t.target.Reads),
	}
	t.reads.get = newOpSite("get "+t.target.Cache, attrs)
	t.reads.load = newOpSite("load "+t.target.Cache, attributes{AttrCache.String(t.target.Cache), AttrOperation.String("load")})
	for i := range t.reads.found {
		t.reads.found[i] = attributes{AttrLookupResult.String(Lookup(i).String())}
	}
}

// Refill is what became of storing in L1 what L2 had, or in the tiers what was
// loaded.
type Refill uint8

// The refills.
const (
	NoRefill       Refill = iota // there was nothing to store
	RefillApplied                // it was stored
	RefillFenced                 // a newer write had begun, so it was not
	RefillFailed                 // a tier failed
	RefillDisabled               // the cache is told not to
)

// String returns "applied", "fenced", "failed" or "disabled".
func (r Refill) String() string {
	return [...]string{"", "applied", "fenced", "failed", "disabled"}[r]
}

// Read is the telemetry of a read that goes beyond a hit in L1, or of the call of
// a loader.
type Read struct{ operation }

// StartRead begins to observe a read and returns the context for all that
// belongs to it. The zero Read is ready.
func (t *Telemetry) StartRead(ctx context.Context, r *Read, key string) context.Context {
	return r.begin(ctx, t, &t.reads.get, key)
}

// StartLoad begins to observe the call of a loader.
func (t *Telemetry) StartLoad(ctx context.Context, r *Read, key string) context.Context {
	return r.begin(ctx, t, &t.reads.load, key)
}

// FailedBefore is for L1 when it was asked before the read was observed, and
// failed.
func (r *Read) FailedBefore(ctx context.Context, err error) {
	var c TierCall
	ctx = r.StartTier(ctx, &c, writepolicy.L1, CallGet)
	c.Found(ctx, LookupError, err)
	c.End()
}

// Shared says that the read waits for the load of another caller, whose span it
// is linked to.
func (r *Read) Shared(leader trace.SpanContext) {
	if r.span == nil {
		return
	}
	r.span.SetAttributes(AttrLoadShared.Bool(true))
	if leader.IsValid() {
		r.span.AddLink(trace.Link{SpanContext: leader})
	}
}

// SpanContext is that of the read, for links.
func (r *Read) SpanContext() trace.SpanContext {
	if r.span == nil {
		return trace.SpanContext{}
	}
	return r.span.SpanContext()
}

// Answer is what a read has come to.
type Answer struct {
	Found  Lookup
	Tier   TierID // whose value it is; 0: none's
	Refill Refill
	Age    time.Duration // of a stale value
}

// Answered says what the read has come to, and ends it. That there is no value is
// no error.
func (r *Read) Answered(ctx context.Context, a Answer, err error) {
	failed := err
	if errors.Is(err, backends.ErrNotFound) {
		failed = nil
	}
	r.measure(ctx, failed)
	if r.span == nil {
		return
	}
	if r.site == &r.tel.reads.get {
		r.span.SetAttributes(r.tel.reads.found[a.Found]...)
	}
	if a.Tier != 0 {
		r.span.SetAttributes(AttrTier.String(a.Tier.String()))
	}
	if a.Refill != NoRefill {
		r.span.SetAttributes(AttrRefill.String(a.Refill.String()))
	}
	if a.Found == LookupStale {
		r.span.SetAttributes(AttrStaleAge.Float64(a.Age.Seconds()))
	}
	switch {
	case failed == nil:
	case r.site == &r.tel.reads.load:
		failStack(r.span, failed)
	default:
		fail(r.span, failed)
	}
	r.span.End()
}
