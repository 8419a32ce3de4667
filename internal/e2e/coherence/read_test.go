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
		some := own.Perm(keys)[:burst]
		for _, k := range some {
			i.readKey(ctx, agent, k)
		}
		if i.Number >= batching {
			i.readMany(ctx, agent, some)
		}
		if !b.ready[i.Number].Load() && i.cache.Status().Coherence.Trusted {
			b.ready[i.Number].Store(true)
		}
	}
}

// readKey reads a key several times.
func (i *instance) readKey(ctx context.Context, agent, k int) {
	now := i.clock.now()
	for range repeats {
		trouble := i.board.trouble.Load()
		entry, ok, err := i.cache.GetEntry(ctx, i.names[k])
		end := i.clock.now()
		res := resultOf(&entry, ok, err)
		if res == hit {
			i.note(&i.board.reads[agent][entry.Value], k, now, end)
		}
		i.count(agent, trouble, res)
		if res == missed && i.Number == loading {
			i.load(ctx, k)
		}
		if res != hit && res != fromL2 || i.board.stop.Load() {
			return // it would ask L2 again and again
		}
		now = end
	}
}

// count counts a read, before which the trouble was the given one.
func (i *instance) count(agent int, trouble int64, res result) {
	c := &i.board.counts[agent]
	if trouble%2 == 0 && trouble == i.board.trouble.Load() {
		c.quiet[res]++
	} else {
		c.wild[res]++
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
