package engine

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// refill stores in L1 the entry of L2, unless a newer write has begun. It holds the
// key's lock meanwhile, so that no write can pass it.
func (r *read[V]) refill(ctx context.Context, l2 *found[V]) tier.Refilled {
	e := r.engine
	if e.config.NoRefill && !l2.unchanged {
		return tier.RefillDisabled
	}
	if l2.barred || e.closedToRefill(r.key) {
		return tier.RefillFenced
	}
	unheld := e.unheld(ctx)
	if !unheld && e.holds(ctx, r.key) {
		return tier.RefillFenced // by the refill that the read is made in
	}
	if refused := r.lockRefill(r.member.pausing(ctx)); refused != tier.NotRefilled {
		return refused
	}
	defer r.lock.Unlock()
	if !unheld {
		held, link := e.hold(ctx, r.key)
		defer link.over.Store(true)
		ctx = held
	}
	return r.refillLocked(ctx, l2)
}

// lockRefill locks the key for a refill, or returns why there is none.
func (r *read[V]) lockRefill(ctx context.Context) (refused tier.Refilled) {
	switch err := r.engine.locks.AcquireRefill(ctx, &r.lock, &r.fence); {
	case err == nil:
		return tier.NotRefilled
	case errors.Is(err, keylock.ErrFenced):
		return tier.RefillFenced
	default:
		return tier.RefillFailed
	}
}

// refillLocked is refill with the key's lock, observed.
func (r *read[V]) refillLocked(ctx context.Context, l2 *found[V]) (stored tier.Refilled) {
	if r.newerInL1(ctx, l2.entry.Value) {
		return tier.RefillSuperseded
	}
	var call telemetry.TierCall
	ctx = r.obs.StartTier(ctx, &call, tier.L1, tier.Refill)
	r.refills.began()
	outcome, err := tier.Unknown, guard.ErrExited
	defer func() {
		r.refills.ended(outcome, err)
		defer call.End()
		call.Done(ctx, outcome, err)
	}()
	if l2.origin != nil && !l2.unchanged {
		call.Link(l2.origin.Note)
	}
	if stored, err = r.storeL1(ctx, l2); err != nil {
		outcome, err = r.engine.l1.Failed(tier.Refill, r.key, err)
		return tier.RefillFailed
	}
	outcome = tier.Applied
	r.engine.kept.drop(r.key)
	return stored
}

// stored is the entry that a read stores in L1, and the way to do it.
type stored[V any] struct {
	read  *read[V]
	ctx   context.Context //nolint:containedctx // it lives as long as one call
	entry backends.Entry[V]
	stamp backends.Stamp
}

// Store implements [coherence.Holder].
func (s *stored[V]) Store() error {
	return s.read.engine.l1.SetStamped(s.ctx, s.read.key, &s.entry, s.stamp)
}

// Drop implements [coherence.Holder].
func (s *stored[V]) Drop() error { return s.read.engine.l1.Delete(s.ctx, s.read.key) }

// storeL1 stores in L1 what L2 has. It is called with the key's lock, behind the fence.
func (r *read[V]) storeL1(ctx context.Context, l2 *found[V]) (tier.Refilled, error) {
	e := r.engine
	entry := l2.entry
	entry.ExpiresAt = e.lifetime.refilled(entry.ExpiresAt, r.refills.until(e)) // not later than before, if it is L1's own
	if e.co == nil {
		return tier.RefillApplied, e.l1.Set(ctx, r.key, &entry, nil)
	}
	s := &stored[V]{read: r, ctx: ctx, entry: entry}
	if l2.origin != nil {
		s.stamp = backends.Stamp{Version: l2.origin.Version, Source: l2.origin.Source, Epoch: r.epoch}
	}
	if s.stamp.Version == 0 { // it is stored, and never fresh
		if err := e.l1.Set(ctx, r.key, &entry, nil); err != nil {
			return tier.RefillFailed, err
		}
	}
	kept, err := e.co.machine.Store(&r.lock, s.stamp.Version, s)
	if err == nil && !kept && s.stamp.Version != 0 {
		return tier.RefillFenced, nil
	}
	return tier.RefillApplied, err
}
