package otterbackend

import (
	"sync/atomic"

	"github.com/maypok86/otter/v2"
)

// Stats are figures of a [Backend] at one moment.
type Stats struct {
	// Entries is the number of entries, expired ones that have not been freed
	// yet included.
	Entries int

	// Weight is the sum of their weights, and 0 without [WithMaximumWeight].
	Weight uint64

	// Evictions is the number of entries that had to make room for others before
	// they expired, since the Backend was made. It is 0 for one of [FromCache]:
	// the StatsRecorder of its cache counts them.
	Evictions uint64
}

// Stats returns the figures of the moment. Writes that are going on may be in
// some of them and not yet in others. With [WithMaximumWeight] it waits for the
// upkeep of the store, so it is not for every call of a service.
func (b *Backend[V]) Stats() Stats {
	return Stats{
		Entries:   b.cache.EstimatedSize(),
		Weight:    b.cache.WeightedSize(),
		Evictions: b.evictions.Load(),
	}
}

// countEvictions returns the listener that counts. It runs inside of a write, so
// it does no more than that.
func countEvictions[V any](evictions *atomic.Uint64, rough bool) func(e otter.DeletionEvent[string, Item[V]]) {
	return func(e otter.DeletionEvent[string, Item[V]]) {
		if e.Cause == otter.CauseOverflow && alive(e.Value.expiresAt, rough) {
			evictions.Add(1)
		}
	}
}
