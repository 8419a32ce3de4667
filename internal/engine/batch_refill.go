package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// refills are those of one batch of reads, which one span shows. It begins with the first:
// where each is fenced, L1 is not called.
type refills[V any] struct {
	batch *batch[V]
	ctx   context.Context //nolint:containedctx // it lasts as long as GetMany
	limit time.Time       // of the entries in L1; zero: none
	short bool            // see newRefills
	held  []held          // the contexts of refills on the short way; nil: they get that of GetMany
	obs   telemetry.TierCall
	size  int
	worst tier.Outcome
	err   error // of worst
}

// newRefills is called when L2 has answered for n keys. The short way (budget RedisGetMany)
// is for keys of which nothing but the value and its fence counts.
func (b *batch[V]) newRefills(ctx context.Context, n int) *refills[V] {
	e := b.engine
	f := &refills[V]{batch: b, ctx: ctx, limit: e.lifetime.refillLimit()}
	f.short = e.repairs == nil && // so there is no coherence either
		e.sources.of == nil && !e.config.NoRefill && !e.reads.Concurrent && ctx.Value(linkKey{}) == nil
	if f.short && !e.unheld(ctx) {
		f.held = make([]held, 0, n)
	}
	return f
}

// until returns the limit of an entry in L1. One does for a batch, whose refills follow the
// answer of L2 at once; f may be nil.
func (f *refills[V]) until(e *Engine[V]) time.Time {
	if f == nil {
		return e.lifetime.refillLimit()
	}
	return f.limit
}

// conclude makes the result of a read to which L2 has given answer i.
func (f *refills[V]) conclude(ctx context.Context, r *read[V], answers *answers[V], i int) (value Found[V], err error) {
	var res result[V]
	if entry := answers.hit(i); entry != nil && f.short && !r.fence.Broken() {
		refilled := f.store(ctx, r, entry)
		r.obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupHit, Tier: tier.L2, Refill: refilled}, nil)
		return Found[V]{Value: entry.Value, OK: true}, nil
	}
	l2 := answers.at(i)
	r.refills = f
	res, err = r.conclude(ctx, r.fresher(&l2), &l2)
	r.obs.Returned(ctx, res.ReadResult, err)
	return Found[V]{Value: res.entry.Value, OK: res.found(), Stale: res.Found == tier.LookupStale}, err
}

// store is refill on the short way.
func (f *refills[V]) store(ctx context.Context, r *read[V], l2 *backends.Entry[V]) tier.Refilled {
	e := r.engine
	if refused := r.lockRefill(ctx); refused != tier.NotRefilled {
		return refused
	}
	defer r.lock.Unlock()
	if f.held != nil {
		held, link := f.hold(ctx, r.key)
		defer link.over.Store(true)
		ctx = held
	}
	f.began()
	outcome, err := tier.Unknown, guard.ErrExited
	defer func() { f.ended(outcome, err) }()
	entry := backends.Entry[V]{Value: l2.Value, ExpiresAt: e.lifetime.refilled(l2.ExpiresAt, f.limit)}
	if err = e.l1.Set(ctx, r.key, &entry, nil); err != nil {
		outcome, err = e.l1.Failed(tier.Refill, r.key, err)
		return tier.RefillFailed
	}
	outcome = tier.Applied
	e.kept.drop(r.key)
	return tier.RefillApplied
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

// hold is that of the engine, with the memory of all refills of the batch.
func (f *refills[V]) hold(ctx context.Context, key string) (context.Context, *link) {
	f.held = append(f.held, held{link{Context: ctx, cache: f.batch.engine.locks, key: key}}) // within its capacity
	h := &f.held[len(f.held)-1]
	return h, &h.link
}
