package engine

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// The calls of tiers that an attempt makes have spans as those of a write have. Their
// errors do not quote the key.

// getL1 asks L1.
func (a *attempt[V]) getL1() (entry backends.Entry[V], stamp backends.Stamp, ok bool, err error) {
	err = a.lookup(tier.L1, func(ctx context.Context) (bool, error) {
		l1, key := a.repairs.engine.l1, a.entry.Key
		var err error
		if entry, stamp, ok, err = l1.GetStamped(ctx, key); err != nil {
			err = l1.GetError(key, err)
		}
		return ok, err
	})
	return entry, stamp, ok, err
}

// getL2 asks L2 for its version, and for its value where that differs from the base.
func (a *attempt[V]) getL2() (answer backends.Answer, err error) {
	err = a.lookup(tier.L2, func(ctx context.Context) (bool, error) {
		var err error
		_, answer, err = a.repairs.engine.l2.GetIf(ctx, a.entry.Key, a.entry.Base)
		return answer.Found != backends.Miss, err
	})
	return answer, err
}

func (a *attempt[V]) lookup(id tier.ID, call func(ctx context.Context) (hit bool, err error)) error {
	var obs telemetry.TierCall
	f := found[V]{err: guard.ErrExited}
	ctx := a.obs.StartTier(a.ctx, &obs, id, tier.Get)
	defer func() { // also when the tier ends the goroutine
		defer obs.End()
		obs.Found(ctx, f.lookup(), f.err)
	}()
	f.hit, f.err = call(ctx)
	return f.err
}

// writeL2 has L2 decide the write of a repair.
func (a *attempt[V]) writeL2(w *backends.Write[V]) (res backends.Result, outcome tier.Outcome, err error) {
	outcome, err = a.change(tier.L2, w.Kind, func(ctx context.Context) (tier.Outcome, error) {
		l2 := a.repairs.engine.l2
		if res, err = l2.Write(ctx, w); err != nil {
			return l2.Failed(w.Kind, w.Key, err)
		}
		switch {
		case res.Refused == backends.RefusedLate:
			return tier.Failed, errTooLate
		case !res.Applied():
			return tier.Superseded, nil
		default:
			return tier.Applied, nil
		}
	})
	return res, outcome, err
}

// storeL1 stores in L1 the value that L2 has.
func (a *attempt[V]) storeL1(stamp backends.Stamp) error {
	return a.changeL1(tier.Set, func(ctx context.Context) error {
		return a.repairs.engine.l1.SetStamped(ctx, a.entry.Key, &a.value, stamp)
	})
}

// dropL1 removes the copy of L1.
func (a *attempt[V]) dropL1() error {
	return a.changeL1(tier.Invalidate, func(ctx context.Context) error {
		return a.repairs.engine.l1.Delete(ctx, a.entry.Key)
	})
}

func (a *attempt[V]) changeL1(kind tier.Kind, call func(ctx context.Context) error) error {
	_, err := a.change(tier.L1, kind, func(ctx context.Context) (tier.Outcome, error) {
		if err := call(ctx); err != nil {
			return a.repairs.engine.l1.Failed(kind, a.entry.Key, err)
		}
		return tier.Applied, nil
	})
	return err
}

func (a *attempt[V]) change(
	id tier.ID, kind tier.Kind, call func(ctx context.Context) (tier.Outcome, error),
) (outcome tier.Outcome, err error) {
	var obs telemetry.TierCall
	outcome, err = tier.Unknown, guard.ErrExited
	ctx := a.obs.StartTier(a.ctx, &obs, id, kind)
	defer func() { // also when the tier ends the goroutine
		defer obs.End()
		obs.Done(ctx, outcome, err)
	}()
	return call(ctx)
}
