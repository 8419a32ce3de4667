package tiercache

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// tierRead is what a policy gets for a tier: the tier, bound to a read.
type tierRead[V any] struct {
	r    *read[V]
	id   writepolicy.TierID
	tier *tier[V]

	// What the tier has answered, guarded by r.mu until the read is answered: of
	// several answers, the first one with a value.
	found[V]
}

// found is what a tier has. It has nothing unless one of the two is set.
type found[V any] struct {
	entry backends.Entry[V]
	hit   bool
	stale bool // entry is one whose life has ended
}

var _ readpolicy.Tier = (*tierRead[any])(nil)

// Read implements [readpolicy.Tier].
func (t *tierRead[V]) Read(ctx context.Context) (answer readpolicy.Answer, err error) {
	if !t.r.enter() {
		return answer, t.tooLate()
	}
	defer t.r.done()
	return t.answer(ctx)
}

// Go implements [readpolicy.Tier].
func (t *tierRead[V]) Go(ctx context.Context, done func(answer readpolicy.Answer, err error)) {
	entered := t.r.enter()
	t.r.cache.calls.Go(func() {
		defer handlePanic()
		if !entered {
			done(readpolicy.Answer{}, t.tooLate())
			return
		}
		defer t.r.done()
		answer, err := t.answer(ctx)
		done(answer, err)
	})
}

func (t *tierRead[V]) tooLate() error {
	return tierError(t.id, "get", t.r.key, writepolicy.Skipped, errAnswered)
}

// answer asks the tier for a policy, and keeps what it has.
func (t *tierRead[V]) answer(ctx context.Context) (readpolicy.Answer, error) {
	f, err := t.perform(ctx)
	if !f.hit && !f.stale {
		return readpolicy.Answer{}, err
	}
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if !t.hit && !t.r.answered {
		t.found = f
	}
	if f.stale {
		return readpolicy.Answer{}, nil
	}
	return readpolicy.Answer{Hit: true, ExpiresAt: f.entry.ExpiresAt}, nil
}

// perform asks the tier and observes it.
func (t *tierRead[V]) perform(ctx context.Context) (f found[V], err error) {
	c := t.r.cache
	var call tracing.TierCall
	ctx = t.r.obs.StartTier(ctx, &call, t.id, tracing.CallGet)
	result := tracing.LookupMiss
	f.entry, f.hit, err = t.tier.get(ctx, t.r.key)
	switch {
	case err != nil:
		f = found[V]{}
		result, err = tracing.LookupError, tierError(t.id, "get", t.r.key, writepolicy.Failed, err)
	case f.hit && t.id == writepolicy.L1 && !c.fresh(&f.entry):
		f.hit, f.stale = false, true
	case f.hit:
		result = tracing.LookupHit
	}
	call.Found(ctx, result, err)
	call.End()
	c.tel.Count(t.id, result)
	return f, err
}
