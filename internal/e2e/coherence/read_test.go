package coherence

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
)

const (
	burst     = 32                    // keys that are read without a rest
	repeats   = 32                    // reads of each
	readPause = 20 * time.Millisecond // between two bursts, for the other processes
)

// readOn reads until the board says stop.
func (i *instance) readOn(ctx context.Context, agent int, own *rand.Rand) {
	b := i.board
	for !b.stop.Load() && pause(ctx, readPause) {
		for range burst {
			i.readKey(ctx, agent, own.IntN(keys))
		}
		if !b.ready[i.Number].Load() && i.cache.Status().Coherence.Trusted {
			b.ready[i.Number].Store(true)
		}
	}
}

// readKey reads a key several times.
func (i *instance) readKey(ctx context.Context, agent, k int) {
	b := i.board
	counts := &b.counts[agent]
	now := i.clock.now()
	for range repeats {
		trouble := b.trouble.Load()
		entry, ok, err := i.cache.GetEntry(ctx, i.names[k])
		end := i.clock.now()
		res := resultOf(&entry, ok, err)
		if res == hit {
			i.note(&b.reads[agent][entry.Value], k, now, end)
		}
		if trouble%2 == 0 && trouble == b.trouble.Load() {
			counts.quiet[res]++
		} else {
			counts.wild[res]++
		}
		if res != hit && res != fromL2 || b.stop.Load() {
			return // it would ask L2 again and again
		}
		now = end
	}
}

func resultOf(entry *tiercache.Entry[int64], ok bool, err error) result {
	switch {
	case err != nil:
		return failed
	case !ok:
		return missed
	case entry.Stale:
		return flagged
	case entry.Tier == tier.L1:
		return hit
	default:
		return fromL2
	}
}

// note adds a hit. Its end may be later than it was.
func (i *instance) note(r *read, k int, began, end int64) {
	if r.hits == 0 {
		r.first, r.firstEnd = began, end
	}
	r.hits++
	r.last, r.lastEnd = began, end
	for other := range instances {
		if other != i.Number && i.board.acked[k][other].Load() > began-2*int64(bound) {
			r.contested++
			return
		}
	}
}
