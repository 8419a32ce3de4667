package tiercache

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/turn"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// refill stores in L1 what was found in L2, unless a newer write has begun. It
// holds the key's turn meanwhile, so that none can pass it.
func (r *read[V]) refill(ctx context.Context, entry backends.Entry[V]) tracing.Refill {
	c := r.cache
	if c.refill == RefillNever {
		return tracing.RefillDisabled
	}
	switch err := c.turns.AcquireFenced(ctx, &r.turn, &r.fence, true); {
	case errors.Is(err, turn.ErrFenced):
		return tracing.RefillFenced
	case err != nil:
		return tracing.RefillFailed
	}
	defer r.turn.Release()
	ctx = detach(ctx)
	var call tracing.TierCall
	ctx = r.obs.StartTier(ctx, &call, writepolicy.L1, tracing.CallRefill)
	defer call.End()
	kept := c.inL1(entry)
	if err := c.l1.setWithin(ctx, r.key, &kept, nil); err != nil {
		outcome := c.classify(err)
		call.Done(ctx, outcome, tierError(writepolicy.L1, "refill", r.key, outcome, err))
		return tracing.RefillFailed
	}
	call.Done(ctx, writepolicy.Applied, nil)
	return tracing.RefillApplied
}

// inL1 is the entry as L1 keeps it: with a shorter life, if that is limited
// there, and some more time for it to be of use as a stale one.
func (c *Cache[V]) inL1(entry backends.Entry[V]) backends.Entry[V] {
	if c.l1TTL > 0 {
		life := c.l1TTL - time.Duration(rand.Float64()*c.l1Jitter*float64(c.l1TTL)) //nolint:gosec // it spreads load
		if end := expiry(life); entry.ExpiresAt.IsZero() || end.Before(entry.ExpiresAt) {
			entry.ExpiresAt = end
		}
	}
	if c.staleIfError > 0 && !entry.ExpiresAt.IsZero() {
		entry.ExpiresAt = entry.ExpiresAt.Add(c.staleIfError)
	}
	return entry
}

// detach returns a context that does not end with the caller's, for what must
// run to its end once it has begun.
func detach(ctx context.Context) context.Context {
	if ctx.Done() == nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}
