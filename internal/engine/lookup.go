package engine

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/tier"
)

// found is the answer of a tier: an entry, fresh or expired, an error, or nothing.
type found[V any] struct {
	entry  backends.Entry[V]
	hit    bool // entry is fresh
	stale  bool // entry has expired, and L1 keeps it for times of trouble
	shared bool // another read got it
	kept   bool // entry is a loaded value that L2 did not take
	err    error

	// With coherence, and the origin also with conditional loads:
	stamp     backends.Stamp    // of an entry of L1
	suspect   coherence.Suspect // why an entry of L1 is no hit, although it has not expired
	origin    *backends.Answer  // of L2
	barred    bool              // the tiers may differ: L1 must not get L2's entry, which is no hit unless it is newer
	unchanged bool              // L2 still has the version of L1's entry, which is the answer
}

// lookup returns the answer's name.
func (f *found[V]) lookup() tier.Lookup {
	switch {
	case f.err != nil:
		return tier.LookupError
	case f.hit:
		return tier.LookupHit
	default:
		return tier.LookupMiss
	}
}

// atLeast reports whether an entry of L1 has the version, or a later one; 0: any.
func (f *found[V]) atLeast(least backends.Version) bool {
	return least == 0 || f.stamp.Version.Covers(least)
}

// lookupL1 asks L1. Only this function, lookupValue and those
// of coherent_read.go do.
func (e *Engine[V]) lookupL1(ctx context.Context, key string) (f found[V]) {
	if e.co != nil {
		return e.lookupStamped(ctx, key)
	}
	entry, ok, err := e.l1.Get(ctx, key)
	if err != nil || !ok {
		return found[V]{err: err}
	}
	fresh := e.lifetime.admit(&entry.ExpiresAt)
	f = found[V]{entry: entry, hit: fresh, stale: !fresh}
	if e.config.KeepLoaded > 0 {
		e.markKept(key, &f)
	}
	return f
}

// lookupValue asks L1 for nothing but the value, where all that it holds is fresh. It
// is small enough to be inlined (budget Get/hit=l1), so its callers count a hit.
func (e *Engine[V]) lookupValue(ctx context.Context, key string) (value V, hit bool, err error) {
	return e.l1.Value(ctx, key)
}

// missed counts the answer of L1 that lookupValue got, and returns its error, if any.
func (e *Engine[V]) missed(key string, err error) error {
	if err == nil {
		e.tel.Count(tier.L1, tier.LookupMiss)
		return nil
	}
	e.tel.Count(tier.L1, tier.LookupError)
	return e.l1.GetError(key, err)
}
