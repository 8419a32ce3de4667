package engine

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// policyTier is a tier as a policy sees it: bound to a write, and observed.
type policyTier[V any] struct {
	write  *write[V]
	id     tier.ID
	tier   *guard.Tier[V]
	staged guard.Staged // nil: there is nothing to stage
}

var _ writepolicy.Tier = (*policyTier[any])(nil)

// errReturned refuses calls of a policy that goes on after it has returned.
var errReturned = errors.New("the policy has returned already")

// Write implements [writepolicy.Tier].
func (t *policyTier[V]) Write(ctx context.Context) error { return t.call(ctx, tally.Write) }

// Drop implements [writepolicy.Tier].
func (t *policyTier[V]) Drop(ctx context.Context) error { return t.call(ctx, tally.Drop) }

// Compensate implements [writepolicy.Tier].
func (t *policyTier[V]) Compensate(ctx context.Context) error { return t.call(ctx, tally.Compensate) }

// Go implements [writepolicy.Tier].
func (t *policyTier[V]) Go(ctx context.Context, done func(err error)) {
	w := t.write
	w.inflight.begin()
	var err error
	if ctx.Err() != nil || !w.inflight.enter(t.id) {
		err = t.refused(ctx, tally.Write) // now: later, t may serve another write
	}
	if w.member != nil && err == nil {
		w.member.Expect()
	}
	w.engine.goroutines.run(func() {
		defer func() {
			defer guard.Report()
			done(err)
		}()
		switch {
		case err != nil:
		case w.member != nil:
			err = t.callTogether(ctx, tierCall{id: t.id, verb: tally.Write, began: w.begin()}, true)
		default:
			t.performObserved(ctx, tally.Write, &err)
		}
	})
}

// call makes a call, unless it is too late for it. When it returns, t may already
// serve another write, if the policy has returned before.
func (t *policyTier[V]) call(ctx context.Context, verb tally.Verb) (err error) {
	w := t.write
	if ctx.Err() != nil || !w.inflight.enter(t.id) {
		return t.refused(ctx, verb)
	}
	if w.member != nil {
		return t.callTogether(ctx, tierCall{id: t.id, verb: verb, began: w.begin()}, false)
	}
	if w.engine.observed || w.inflight.async {
		t.performObserved(ctx, verb, &err)
		return err
	}
	// Without telemetry there is nothing to let go of but the write itself, whose
	// conclude runs in any case (budget Set/policy=sequential/telemetry=off).
	w.call = tierCall{id: t.id, verb: verb, began: w.tally.Begin()}
	outcome, err := t.touch(ctx, verb)
	w.tally.End(t.id, verb, w.call.began, outcome, err)
	w.call.id = 0
	return err
}

// refused returns the error of a call that cannot help any more, or is too late.
func (t *policyTier[V]) refused(ctx context.Context, verb tally.Verb) error {
	err := backends.ContextError(ctx)
	if err == nil {
		err = errReturned
	}
	return guard.NewError(t.id, t.kind(verb).String(), t.write.op.Key, tier.Skipped, err)
}

// exited returns the error of a call that ended its goroutine.
func exited(id tier.ID, kind tier.Kind, key string, outcome tier.Outcome) error {
	return guard.NewError(id, kind.String(), key, outcome, guard.ErrExited)
}

// kind returns the operation that the verb stands for.
func (t *policyTier[V]) kind(verb tally.Verb) tier.Kind {
	if verb != tally.Write {
		return tier.Invalidate
	}
	return t.write.op.Kind
}

// performObserved stores the error of the call, also when the call ends the
// goroutine. Its frame and those below it fit into the stack of a new goroutine.
func (t *policyTier[V]) performObserved(ctx context.Context, verb tally.Verb, err *error) {
	w := t.write
	c := tierCall{id: t.id, verb: verb, began: w.begin()}
	var obs telemetry.TierCall
	outcome := tier.Failed // until the backend is called
	defer func() {
		if *err == nil && outcome != tier.Applied {
			*err = exited(t.id, t.kind(verb), w.op.Key, outcome)
		}
		w.callEnded(ctx, c, &obs, outcome, *err)
	}()
	ctx = w.obs.StartTier(ctx, &obs, t.id, t.kind(verb))
	outcome = tier.Unknown
	outcome, *err = t.touch(ctx, verb)
}

// tierCall is one call of a tier.
type tierCall struct {
	id    tier.ID
	verb  tally.Verb
	began tally.Mark
}

// touch calls the backend.
func (t *policyTier[V]) touch(ctx context.Context, verb tally.Verb) (tier.Outcome, error) {
	return t.touchKind(ctx, t.kind(verb))
}

// touchKind calls the backend.
func (t *policyTier[V]) touchKind(ctx context.Context, kind tier.Kind) (tier.Outcome, error) {
	key := t.write.op.Key
	var err error
	if t.versioned(kind) {
		return t.writeL2(ctx)
	}
	if kind == tier.Set {
		err = t.tier.Set(ctx, key, t.write.entryFor(t.id), t.staged)
	} else {
		err = t.tier.Delete(ctx, key)
	}
	if err == nil {
		return tier.Applied, nil
	}
	return t.tier.Failed(kind, key, err)
}
