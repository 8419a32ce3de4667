package otterbackend

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/tiercache/tiercache/backends"
)

// Expiry returns the calculator by which an otter cache frees an entry when its
// ExpiresAt has passed. Every write decides anew, so that an entry may be
// replaced by one that lives longer, shorter or for ever; reads change nothing.
// [New] uses it; caches for [FromCache] should. It is safe for concurrent use.
func Expiry[V any]() otter.ExpiryCalculator[string, backends.Entry[V]] {
	// Otter does not call its own calculators on reads, but any other type.
	return otter.ExpiryWritingFunc(life[V])
}

// life returns how long the entry lives by otter's clock, at least 1 ns: otter
// takes anything less for the wish to keep the deadline that it has, which for a
// new entry is none.
//
// It is a difference to the time of the write, from which otter makes
// a deadline again that is ExpiresAt exactly. Otter's clock runs late and never
// early, so it gives no entry up too soon. If the system's clock is set back, it
// does so by as much as that: a miss, never a stale hit.
func life[V any](entry otter.Entry[string, backends.Entry[V]]) time.Duration {
	expiresAt := entry.Value.ExpiresAt
	if expiresAt.IsZero() {
		return math.MaxInt64
	}
	return max(1, expiresAt.Sub(entry.SnapshotAt()))
}
