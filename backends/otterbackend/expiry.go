package otterbackend

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"
)

// Expiry returns the calculator by which an otter cache frees an entry when its
// ExpiresAt has passed. Every write decides anew, so that an entry may be
// replaced by one with a longer TTL, a shorter one or none; reads change nothing.
// Caches for [FromCache] should use it; those of [New] do without, and free entries
// themselves. It is safe for concurrent use.
func Expiry[V any]() otter.ExpiryCalculator[string, Item[V]] {
	// Otter does not call its own calculators on reads, but any other type.
	return otter.ExpiryWritingFunc(ttlOf[V])
}

// ttlOf returns the entry's TTL by otter's clock, at least 1 ns: otter takes
// anything less for the wish to keep the deadline that it has, which for a new
// entry is none.
//
// It is a difference to the time of the write, from which otter makes
// a deadline again that is ExpiresAt exactly. Otter's clock runs late and never
// early, so it gives no entry up too soon. If the system's clock is set back, it
// does so by as much as that: a miss, never a stale hit.
func ttlOf[V any](entry otter.Entry[string, Item[V]]) time.Duration {
	forgetAt := entry.Value.forgetAt()
	if forgetAt == never {
		return math.MaxInt64
	}
	return max(1, time.Duration(forgetAt-entry.SnapshotAtNano))
}
