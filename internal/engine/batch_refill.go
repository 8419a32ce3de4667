package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// refills are those of one batch of reads, which one span shows. It begins with the first:
// where each is fenced, L1 is not called.
type refills[V any] struct {
	batch *batch[V]
	ctx   context.Context //nolint:containedctx // it lasts as long as GetMany
	at    time.Time       // when L2 has answered
	obs   telemetry.TierCall
	size  int
	worst tier.Outcome
	err   error // of worst
}

// now returns the time. One instant does for a batch, whose refills follow the answer of L2
// at once; f may be nil.
func (f *refills[V]) now() time.Time {
	if f == nil {
		return time.Now()
	}
	return f.at
}

// began is called before L1 is; f may be nil.
func (f *refills[V]) began() {
	if f == nil {
		return
	}
	if f.size == 0 {
		f.ctx = f.batch.obs.StartCall(f.ctx, &f.obs, tier.L1, tier.Refill, 1)
	}
	f.size++
}

// ended is called with the outcome of L1; f may be nil.
func (f *refills[V]) ended(outcome tier.Outcome, err error) {
	if f != nil && telemetry.Worse(outcome, f.worst) {
		f.worst, f.err = outcome, err
	}
}

// end ends the span, if there is one.
func (f *refills[V]) end() {
	if f.size == 0 {
		return
	}
	defer f.obs.End()
	f.obs.Size(f.size)
	f.obs.Done(f.ctx, f.worst, f.err)
}
