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
	r, _ := c.spare.Get().(*read[V])
	if r == nil {
		r = &read[V]{cache: c}
		r.l1 = tierRead[V]{r: r, id: writepolicy.L1, tier: &c.l1}
		r.l2 = tierRead[V]{r: r, id: writepolicy.L2, tier: &c.l2}
	}
	r.key = key
	return r
}

// free is called when nothing refers to r any more.
func (r *read[V]) free() {
	if r.cache.tel.Enabled() {
		r.obs = tracing.Read{}
	}
	r.l1.found, r.l2.found = found[V]{}, found[V]{}
	r.cache.spare.Put(r)
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

// settle ends what a policy may do: what the tiers answer from now on is not kept.
func (r *read[V]) settle() {
	r.mu.Lock()
	r.answered = true
	r.mu.Unlock()
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
	if choice != readpolicy.L1 && r.cache.l1First && r.fence.Broken() {
		if entry, hit := r.overtaken(ctx); hit {
			a = tracing.Answer{Found: tracing.LookupHit, Tier: writepolicy.L1}
			if r.l2.hit && r.cache.refill == RefillAlways {
				a.Refill = tracing.RefillFenced // L1 did not get what L2 had
			}
			return entry, a, nil
		}
	}
	switch {
	case choice == readpolicy.L1 && r.l1.hit:
		return r.l1.entry, tracing.Answer{Found: tracing.LookupHit, Tier: writepolicy.L1}, nil
	case choice == readpolicy.L2 && r.l2.hit:
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
	var err2 error
	r.l2.found, err2 = r.l2.perform(ctx) // nobody else has r, so it takes no lock
	if r.l2.hit {
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
	ctx, cancel := r.cache.l1.limits.limit(detach(ctx))
	defer cancel()
	entry, ok, err := r.cache.l1.get(ctx, r.key)
	return entry, err == nil && ok && r.cache.fresh(&entry)
}

// ask lets the policy ask. What it chooses must have been a hit.
func (r *read[V]) ask(ctx context.Context) (choice readpolicy.Choice, err error) {
	defer r.settle()
	defer func() {
		if v := recover(); v != nil {
			choice, err = readpolicy.None, fmt.Errorf("the read policy panicked: %w", panicError(v))
		}
	}()
	return r.cache.reads.Read(ctx, &r.l1, &r.l2)
}
