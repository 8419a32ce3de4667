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
	err := t.enter(ctx, call)
	go func() {
		defer handlePanic()
		if err == nil {
			err = t.perform(ctx, call)
		}
		done(err)
	}()
}

func (t *tierWrite[V]) write() tracing.Call {
	if t.w.op.Kind == writepolicy.Delete {
		return tracing.CallDelete
	}
	return tracing.CallSet
}

func (t *tierWrite[V]) call(ctx context.Context, call tracing.Call) error {
	if err := t.enter(ctx, call); err != nil {
		return err
	}
	return t.perform(ctx, call)
}

// enter refuses calls that can be known to be in vain.
func (t *tierWrite[V]) enter(ctx context.Context, call tracing.Call) error {
	if ctx.Err() != nil {
		return tierError(t.id, call.String(), t.w.op.Key, writepolicy.Skipped, context.Cause(ctx))
	}
	if !t.w.enter(t.id) {
		return tierError(t.id, call.String(), t.w.op.Key, writepolicy.Skipped, errAnswered)
	}
	return nil
}

// perform makes a call that has entered, and observes it. When it returns, t may
// already serve another write.
func (t *tierWrite[V]) perform(ctx context.Context, call tracing.Call) error {
	w := t.w
	var obs tracing.TierCall
	ctx = w.obs.StartTier(ctx, &obs, t.id, call)
	outcome, err := t.touch(ctx, call)
	obs.Done(ctx, outcome, err)

	w.lock()
	w.record(t.id, call, outcome, err)
	late := w.answered
	last := late && w.inFlight[0]+w.inFlight[1] == 1
	if !last {
		obs.End() // before anybody can think that the operation is over
	}
	if late {
		w.obs.Detached(ctx, -1)
	}
	w.leave(t.id)
	w.unlock()
	if last {
		w.finish(ctx, &obs)
	}
	return err
}

// touch calls the backend and classifies its error.
func (t *tierWrite[V]) touch(ctx context.Context, call tracing.Call) (writepolicy.Outcome, error) {
	w := t.w
	var err error
	if call == tracing.CallSet {
		err = t.tier.set(ctx, w.op.Key, &w.entry, t.staged)
	} else {
		err = t.tier.remove(ctx, w.op.Key)
	}
	if err == nil {
		return writepolicy.Applied, nil
	}
	outcome := writepolicy.Unknown
	if w.cache.certain(err) {
		outcome = writepolicy.Failed
	}
	return outcome, tierError(t.id, call.String(), w.op.Key, outcome, err)
}
