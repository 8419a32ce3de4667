package tiercache

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/turn"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// read is one read of a cache that goes beyond a hit in L1. It raises a fence
// before it asks L2, so that what it finds there cannot take the place of what
// was written since.
type read[V any] struct {
	cache  *Cache[V]
	key    string
	obs    tracing.Read
	fence  turn.Fence
	turn   turn.Turn // of the refill
	l1, l2 tierRead[V]

	mu       sync.Mutex
	open     int  // the read itself, and tiers that are being asked
	answered bool // no tier may be asked any more
}

func (c *Cache[V]) newRead(key string) *read[V] {
	r := &read[V]{cache: c, key: key}
	r.l1 = tierRead[V]{r: r, id: writepolicy.L1, tier: &c.l1}
	r.l2 = tierRead[V]{r: r, id: writepolicy.L2, tier: &c.l2}
	return r
}

// begin raises the fence. From then on Close waits for the read.
func (r *read[V]) begin() error {
	if err := r.cache.turns.Raise(&r.fence, r.key); err != nil {
		return ErrClosed
	}
	r.open = 1
	return nil
}

// enter counts a tier that is about to be asked, unless the read is answered.
func (r *read[V]) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answered {
		return false
	}
	r.open++
	return true
}

// done is called by the read itself and for each tier that was asked. The last
// one ends it.
func (r *read[V]) done() {
	r.mu.Lock()
	r.open--
	last := r.open == 0
	r.mu.Unlock()
	if last {
		r.fence.Lower()
	}
}

// hits ends what a policy may do, and says which tiers have answered with a
// value.
func (r *read[V]) hits() (l1, l2 bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = true
	return r.l1.hit, r.l2.hit
}

// run asks the tiers as the policy says, except that an L1 that has been asked
// is not asked again, and refills L1.
func (r *read[V]) run(ctx context.Context, l1 asked) (entry backends.Entry[V], a tracing.Answer, err error) {
	var choice readpolicy.Choice
	if l1.yes {
		choice, err = r.beyond(ctx, l1.err)
	} else {
		choice, err = r.ask(ctx)
	}
	hit1, hit2 := r.hits()
	if choice != readpolicy.L1 && r.cache.l1First && r.fence.Broken() {
		if entry, hit := r.overtaken(ctx); hit {
			a = tracing.Answer{Found: tracing.LookupHit, Tier: writepolicy.L1}
			if hit2 && r.cache.refill == RefillAlways {
				a.Refill = tracing.RefillFenced // L1 did not get what L2 had
			}
			return entry, a, nil
		}
	}
	switch {
	case choice == readpolicy.L1 && hit1:
		return r.l1.entry, tracing.Answer{Found: tracing.LookupHit, Tier: writepolicy.L1}, nil
	case choice == readpolicy.L2 && hit2:
		entry = r.l2.entry
		return entry, tracing.Answer{Found: tracing.LookupHit, Tier: writepolicy.L2, Refill: r.refill(ctx, entry)}, nil
	case err != nil:
		return entry, tracing.Answer{Found: tracing.LookupError}, fmt.Errorf("tiercache: get: %w", err)
	default:
		return entry, tracing.Answer{Found: tracing.LookupMiss}, nil
	}
}

// beyond asks L2, after L1 has been asked in vain.
func (r *read[V]) beyond(ctx context.Context, err1 error) (readpolicy.Choice, error) {
	if err1 != nil {
		err1 = tierError(writepolicy.L1, "get", r.key, writepolicy.Failed, err1)
		r.obs.FailedBefore(ctx, err1)
	}
	a, err2 := r.l2.perform(ctx)
	if err2 == nil && a.Hit {
		return readpolicy.L2, nil
	}
	return readpolicy.None, errors.Join(err1, err2)
}

// overtaken asks L1 once more, after a write has begun that may have reached L2
// and not yet L1. If L1 has a value by now, which it did not have before, those
// who come later find that one, so it is the answer: otherwise they would see an
// older state than this read.
//
// If L1 has none, it will not get an older one any more: only writes and refills
// fill it, and they are in line behind the one that has begun. That the caller
// gives up is no answer of L1, so it is asked in a context that goes on.
func (r *read[V]) overtaken(ctx context.Context) (entry backends.Entry[V], hit bool) {
	ctx, cancel := limit(detach(ctx), r.cache.l1.timeout)
	defer cancel()
	entry, ok, err := r.cache.l1.get(ctx, r.key)
	return entry, err == nil && ok && r.cache.fresh(&entry)
}

// ask lets the policy ask. What it chooses must have been a hit.
func (r *read[V]) ask(ctx context.Context) (choice readpolicy.Choice, err error) {
	defer func() {
		if v := recover(); v != nil {
			choice, err = readpolicy.None, fmt.Errorf("the read policy panicked: %w", panicError(v))
		}
	}()
	return r.cache.reads.Read(ctx, &r.l1, &r.l2)
}

// tierRead is what a policy gets for a tier: the tier, bound to a read.
type tierRead[V any] struct {
	r    *read[V]
	id   writepolicy.TierID
	tier *tier[V]

	// What the tier has answered, guarded by r.mu until the read is answered: of
	// several answers, the first one with a value.
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
	return t.perform(ctx)
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
		answer, err := t.perform(ctx)
		done(answer, err)
	})
}

func (t *tierRead[V]) tooLate() error {
	return tierError(t.id, "get", t.r.key, writepolicy.Skipped, errAnswered)
}

func (t *tierRead[V]) perform(ctx context.Context) (answer readpolicy.Answer, err error) {
	c := t.r.cache
	var call tracing.TierCall
	ctx = t.r.obs.StartTier(ctx, &call, t.id, tracing.CallGet)
	entry, hit, err := t.tier.get(ctx, t.r.key)
	found := tracing.LookupMiss
	switch {
	case err != nil:
		found, err = tracing.LookupError, tierError(t.id, "get", t.r.key, writepolicy.Failed, err)
	case hit && t.id == writepolicy.L1 && !c.fresh(&entry):
		t.keep(entry, false)
	case hit:
		t.keep(entry, true)
		found, answer = tracing.LookupHit, readpolicy.Answer{Hit: true, ExpiresAt: entry.ExpiresAt}
	}
	call.Found(ctx, found, err)
	call.End()
	c.tel.Count(t.id, found)
	return answer, err
}

func (t *tierRead[V]) keep(entry backends.Entry[V], fresh bool) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if !t.hit && !t.r.answered {
		t.entry, t.hit, t.stale = entry, fresh, !fresh
	}
}
