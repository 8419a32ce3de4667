package tiercache

import (
	"context"

	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// tierWrite is what a policy gets for a tier: the tier, bound to a write, below
// which everything is observed.
type tierWrite[V any] struct {
	w      *write[V]
	id     writepolicy.TierID
	tier   *tier[V]
	staged func(context.Context) error
}

var _ writepolicy.Tier = (*tierWrite[any])(nil)

// Write implements [writepolicy.Tier].
func (t *tierWrite[V]) Write(ctx context.Context) error {
	return t.call(ctx, t.write())
}

// Invalidate implements [writepolicy.Tier].
func (t *tierWrite[V]) Invalidate(ctx context.Context) error {
	return t.call(ctx, tracing.CallInvalidate)
}

// Go implements [writepolicy.Tier].
func (t *tierWrite[V]) Go(ctx context.Context, done func(err error)) {
	if !t.w.async {
		t.w.async = true
	}
	call := t.write()
	begin := func() error { return t.perform(ctx, call) }
	if ctx.Err() != nil || !t.w.enter(t.id) {
		err := t.refuse(ctx, call) // now: later, t may serve another write
		begin = func() error { return err }
	}
	t.w.cache.calls.Go(func() {
		defer handlePanic()
		done(begin())
	})
}

func (t *tierWrite[V]) write() tracing.Call {
	if t.w.op.Kind == writepolicy.Delete {
		return tracing.CallDelete
	}
	return tracing.CallSet
}

func (t *tierWrite[V]) call(ctx context.Context, call tracing.Call) error {
	if ctx.Err() != nil || !t.w.enter(t.id) {
		return t.refuse(ctx, call)
	}
	return t.perform(ctx, call)
}

// refuse is the error of a call that would be in vain, or comes too late.
func (t *tierWrite[V]) refuse(ctx context.Context, call tracing.Call) error {
	err := context.Cause(ctx)
	if err == nil {
		err = errAnswered
	}
	return tierError(t.id, call.String(), t.w.op.Key, writepolicy.Skipped, err)
}

// perform makes a call that has entered, and observes it. When it returns, t may
// already serve another write.
func (t *tierWrite[V]) perform(ctx context.Context, call tracing.Call) error {
	w := t.w
	if !w.observed && !w.async {
		outcome, err := t.touch(ctx, call)
		w.record(t.id, call, outcome, err)
		return err
	}
	var obs tracing.TierCall
	ctx = w.obs.StartTier(ctx, &obs, t.id, call)
	outcome, err := t.touch(ctx, call)
	obs.Done(ctx, outcome, err)
	if !w.async {
		w.record(t.id, call, outcome, err)
		obs.End()
		return err
	}
	return t.leave(ctx, call, outcome, err, &obs)
}

// leave ends a call that may overlap with others and with the answer.
func (t *tierWrite[V]) leave(ctx context.Context, call tracing.Call, outcome writepolicy.Outcome, err error, obs *tracing.TierCall) error {
	w := t.w
	w.mu.Lock()
	w.record(t.id, call, outcome, err)
	last := w.answered && w.inFlight[0]+w.inFlight[1] == 1
	if !last {
		obs.End() // before anybody can think that the operation is over
	}
	if w.answered {
		w.obs.Detached(ctx, -1)
	}
	w.left(t.id)
	verdict := w.verdict()
	w.mu.Unlock()
	if last {
		w.finish(ctx, obs, verdict)
	}
	return err
}

// touch calls the backend and classifies its error.
func (t *tierWrite[V]) touch(ctx context.Context, call tracing.Call) (writepolicy.Outcome, error) {
	w := t.w
	var err error
	switch {
	case call != tracing.CallSet:
		err = t.tier.remove(ctx, w.op.Key)
	case t.staged == nil && t.tier.limits == nil:
		err = t.tier.set(ctx, w.op.Key, w.entryOf(t.id))
	default:
		err = t.tier.setWithin(ctx, w.op.Key, w.entryOf(t.id), t.staged)
	}
	if err == nil {
		return writepolicy.Applied, nil
	}
	outcome := w.cache.classify(err)
	return outcome, tierError(t.id, call.String(), w.op.Key, outcome, err)
}

// classify tells the outcome of a write that a backend answered with an error. A
// classifier that panics is not certain.
func (c *Cache[V]) classify(err error) (outcome writepolicy.Outcome) {
	defer func() {
		if recover() != nil {
			outcome = writepolicy.Unknown
		}
	}()
	if c.certain(err) {
		return writepolicy.Failed
	}
	return writepolicy.Unknown
}
