package tiercache

import (
	"context"
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/turn"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// write is one Set or Delete of a cache, from the call to the end of its last
// tier write. What it does not know of values is its operation.
type write[V any] struct {
	operation
	cache    *Cache[V]
	observed bool              // telemetry is on
	entry    backends.Entry[V] // as it goes to L2
	entry1   backends.Entry[V] // as it goes to L1, where that differs
	l1, l2   tierWrite[V]
}

func (c *Cache[V]) newWrite(kind writepolicy.Kind, key string) *write[V] {
	w, _ := c.writes.Get().(*write[V])
	if w == nil {
		w = &write[V]{cache: c, observed: c.tel.Enabled()}
		w.l1 = tierWrite[V]{w: w, id: writepolicy.L1, tier: &c.l1}
		w.l2 = tierWrite[V]{w: w, id: writepolicy.L2, tier: &c.l2}
	}
	w.op = writepolicy.Op{Kind: kind, Key: key}
	w.async = !c.recycle // a policy that is not known may do anything
	return w
}

// free is called when nothing refers to w any more.
func (w *write[V]) free() {
	c := w.cache
	if !c.recycle {
		return
	}
	w.reset()
	if w.observed {
		w.obs.Reset()
	}
	w.entry = backends.Entry[V]{}
	if c.adjusts {
		w.entry1 = backends.Entry[V]{}
	}
	if c.stages {
		w.l1.staged, w.l2.staged = nil, nil
	}
	c.writes.Put(w)
}

// do takes a write through its life: it is staged, waits for its turn, is
// written by the policy and answered.
func (w *write[V]) do(ctx context.Context) error {
	c := w.cache
	ctx = c.tel.StartWrite(ctx, &w.obs, w.op)
	if c.prepares && w.op.Kind == writepolicy.Set {
		if err := w.stage(ctx); err != nil {
			return w.refuse(ctx, err)
		}
	}
	if err := c.turns.Acquire(ctx, &w.turn, w.op.Key); err != nil {
		return w.refuse(ctx, closedErr(err))
	}
	if d := w.turn.Waited(); d > 0 {
		w.obs.Waited(d)
	}
	if ctx.Err() != nil {
		w.turn.Release()
		return w.refuse(ctx, context.Cause(ctx))
	}
	return w.proceed(ctx)
}

// doFenced is do for a value that was loaded. It does nothing, and tells nobody,
// when the fence is broken.
func (w *write[V]) doFenced(ctx context.Context, fence *turn.Fence) tracing.Refill {
	c := w.cache
	if err := c.turns.AcquireFenced(ctx, &w.turn, fence, false); err != nil {
		w.free()
		if errors.Is(err, turn.ErrFenced) {
			return tracing.RefillFenced
		}
		return tracing.RefillFailed
	}
	ctx = c.tel.StartWrite(ctx, &w.obs, w.op)
	err := w.stage(ctx)
	if err == nil {
		err = w.proceed(ctx)
	} else {
		w.turn.Release()
		err = w.refuse(ctx, err)
	}
	if err != nil {
		return tracing.RefillFailed
	}
	return tracing.RefillApplied
}

// proceed writes the tiers. From here on the caller's context ends nothing.
func (w *write[V]) proceed(ctx context.Context) error {
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	if n := w.cache.negatives; n != nil {
		n.drop(w.op.Key)
	}
	return w.answer(ctx, w.runPolicy(ctx))
}

// entryOf is the entry as it goes to a tier.
func (w *write[V]) entryOf(id writepolicy.TierID) *backends.Entry[V] {
	if id == writepolicy.L1 && w.cache.adjusts {
		return &w.entry1
	}
	return &w.entry
}

// stage prepares a Set in both tiers, so that what cannot be written is known
// before either is touched.
func (w *write[V]) stage(ctx context.Context) (err error) {
	if w.cache.adjusts {
		w.entry1 = w.cache.inL1(w.entry)
	}
	if !w.cache.stages {
		return nil
	}
	for _, t := range [...]*tierWrite[V]{&w.l1, &w.l2} {
		if t.staged, err = t.tier.stage(ctx, w.op.Key, *w.entryOf(t.id)); err != nil {
			return tierError(t.id, "stage", w.op.Key, writepolicy.Failed, err)
		}
	}
	return nil
}

// refuse ends a write that has touched no tier.
func (w *write[V]) refuse(ctx context.Context, cause error) error {
	err := &writepolicy.Error{Kind: w.op.Kind, Policy: w.cache.policyName, Cause: withoutKey(cause, w.op.Key)}
	w.obs.Answered(ctx, writepolicy.Skipped, writepolicy.Skipped, true, err)
	w.obs.End()
	w.free()
	return err
}

func (w *write[V]) runPolicy(ctx context.Context) error {
	if w.cache.recycle { // a policy of this module, which does not panic
		return w.cache.policy.Write(ctx, w.op, &w.l1, &w.l2)
	}
	return w.runForeign(ctx)
}

func (w *write[V]) runForeign(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the policy panicked: %w", panicError(v))
		}
	}()
	return w.cache.policy.Write(ctx, w.op, &w.l1, &w.l2)
}

// answer makes the answer of the policy that of the operation, and finishes the
// operation unless a tier write goes on.
func (w *write[V]) answer(ctx context.Context, policyErr error) error {
	if policyErr == nil && !w.async && w.applied() { // as nearly always
		if w.observed {
			w.obs.Answered(ctx, writepolicy.Applied, writepolicy.Applied, true, nil)
			w.obs.End()
		}
		w.turn.Release()
		w.free()
		return nil
	}
	if w.op.Kind == writepolicy.Delete {
		w.settle() // a delete that may leave a copy behind has no answer yet
	}
	w.lock()
	w.answered = true
	verdict := w.verdict()
	err := w.errorOf(policyErr, w.cache.policyName)
	if w.observed {
		w.obs.Answered(ctx, w.outcome(writepolicy.L1), w.outcome(writepolicy.L2), verdict.Agreed(), err)
	}
	if n := w.inFlight[0] + w.inFlight[1]; n > 0 {
		w.obs.Detached(ctx, n)
		w.obs.End()
		w.unlock() // from here on, w belongs to the last tier write
		return err
	}
	w.unlock()
	w.finish(ctx, nil, verdict)
	return err
}

// finish is called once, when the answer is given and no tier write goes on: by
// the operation itself, or for late, the tier call that ended last.
func (w *write[V]) finish(ctx context.Context, late *tracing.TierCall, verdict writepolicy.Verdict) {
	if verdict.Consistent {
		w.end(late)
		w.turn.Release()
	} else {
		w.report(ctx, late, verdict)
	}
	w.free()
}

// report makes it known that the tiers may differ.
func (w *write[V]) report(ctx context.Context, late *tracing.TierCall, verdict writepolicy.Verdict) {
	c := w.cache
	i := Inconsistency{
		Cache: c.name, Policy: c.policyName, Kind: w.op.Kind, Key: w.op.Key,
		L1: w.results[0], L2: w.results[1], Verdict: verdict,
	}
	w.obs.Inconsistent(ctx, late, i)
	w.end(late)
	if c.hook == nil {
		w.turn.Release()
		return
	}
	w.turn.Pass() // so that the hook may write the key
	callHook(ctx, c.hook, i)
	w.turn.Leave()
}

// end ends the span that was kept open for the event.
func (w *write[V]) end(late *tracing.TierCall) {
	if late != nil {
		late.End()
	} else {
		w.obs.End()
	}
}

func callHook(ctx context.Context, hook func(context.Context, Inconsistency), i Inconsistency) {
	defer handlePanic()
	hook(ctx, i)
}
