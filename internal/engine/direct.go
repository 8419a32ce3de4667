package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/tier"
)

// directTiers returns the backends that [Engine.setDirect] may call, or none: the order
// of the calls must be known, and nobody may prepare, limit or observe them.
func (e *Engine[V]) directTiers() (direct tier.Pair[backends.Backend[V]]) {
	_, ordered := e.config.WritePolicy.(builtin.Ordered)
	l1, l2 := e.l1.Bare(), e.l2.Bare()
	if ordered && e.sources.of == nil && e.co == nil && !e.observed && !e.rewrites && l1 != nil && l2 != nil {
		direct.L1, direct.L2 = l1, l2
	}
	return direct
}

// setDirect is Set without the policy, as long as all goes well: if both tiers apply the
// write, it does what the policy would have done. If the key's lock is not free, or a
// tier does anything else than to return nil, the write goes on by the ordinary way.
//
// The entry is a variable of this function, and one guard stands around both calls: to
// hand the entry on to a function for each tier, with a guard of its own, would cost as
// much as a tier's write (budget Set/policy=sequential/telemetry=off).
func (e *Engine[V]) setDirect(ctx context.Context, key string, value V, ttl time.Duration) (err error) {
	entry := backends.Entry[V]{Value: value}
	if ttl > 0 {
		entry.ExpiresAt = expiry(ttl)
	}
	w := e.newWrite(tier.Set, key)
	if ctx.Err() != nil || !e.locks.TryAcquire(&w.lock, key) {
		w.entry = entry
		return w.run(ctx)
	}
	ctx = w.prepare(ctx)
	called := tier.L1
	defer func() {
		if called != 0 {
			err = w.resume(ctx, called, err)
		}
	}()
	defer guard.Catch(&err)
	if err := e.direct.L1.Set(ctx, key, entry); err != nil {
		return err
	}
	called = tier.L2
	if err := e.direct.L2.Set(ctx, key, entry); err != nil {
		return err
	}
	called = 0
	w.tally.BothApplied()
	w.finish(ctx, nil, tier.Verdict{Consistent: true})
	return nil
}

// resume ends a write whose direct call of a tier has failed with err, or has ended the
// goroutine: then err is nil. The policy gets tiers that answer with the results of the
// calls that were made, and decides on the rest as ever.
func (w *write[V]) resume(ctx context.Context, failed tier.ID, err error) error {
	ctx = w.engine.tel.StartWrite(ctx, &w.obs, w.op.Kind, w.op.Key)
	if err == nil {
		return w.resumeExited(ctx, failed)
	}
	answer := func(context.Context) error { return err }
	if failed == tier.L1 {
		w.l1.staged = answer
	} else {
		w.l1.staged = func(context.Context) error { return nil }
		w.l2.staged = answer
	}
	return w.proceed(ctx)
}

// resumeExited is resume after a call that has ended the goroutine, and the policy with
// it.
func (w *write[V]) resumeExited(ctx context.Context, exited tier.ID) error {
	if exited == tier.L2 {
		w.tally.End(tier.L1, tally.Write, w.tally.Begin(), tier.Applied, nil)
	}
	w.call = tierCall{id: exited, verb: tally.Write, began: w.tally.Begin()}
	return w.conclude(ctx, guard.ErrExited)
}
