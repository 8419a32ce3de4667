package repair_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/model/explore"
	"github.com/tiercache/tiercache/internal/model/repair"
)

// search is one that finds nothing.
type search struct {
	parts  repair.Parts
	bounds repair.Bounds
	states int      // more than so many; fewer would mean that the search goes nowhere
	never  []string // steps that the bounds exclude
}

var (
	clocks   = []string{"the clock of L2 steps back behind the deadline", "L2 applies, behind the deadline"}
	failover = []string{"replica catches up", "failover", "notice the other server"}
)

func holds() map[string]search {
	type b = repair.Bounds
	return map[string]search{
		"two operations": {
			repair.Full,
			b{Operations: 2, Others: 2, Evictions: 1, Attempts: 2},
			500_000, slices.Concat(clocks, failover),
		},
		"failover": {
			repair.Full,
			b{Operations: 1, Others: 2, Evictions: 1, Attempts: 2, Failover: true},
			250_000, clocks,
		},
		"a clock that steps back": {
			repair.Full,
			b{Operations: 1, Others: 2, Evictions: 1, Attempts: 2, ClockBacks: 1},
			75_000, failover,
		},
		"no tombstones": { // they keep values that would be dropped, no more
			repair.Full.Without(repair.Tombstones),
			b{Operations: 2, Others: 2, Evictions: 1, Attempts: 2},
			500_000, slices.Concat(clocks, failover),
		},
	}
}

// wide are searches of a minute and a gigabyte, which TIERCACHE_MODEL_WIDE=1 adds.
func wide() map[string]search {
	type b = repair.Bounds
	return map[string]search{
		"wide: a clock that steps back": {
			repair.Full,
			b{Operations: 2, Others: 2, Evictions: 1, Attempts: 2, ClockBacks: 1},
			4_000_000, failover,
		},
		"wide: two operations, failover, a clock that steps back": {
			repair.Full,
			b{Operations: 2, Others: 1, Attempts: 1, Failover: true, ClockBacks: 1},
			2_000_000,
			[]string{"evict"},
		},
		"wide: failover": {
			repair.Full,
			b{Operations: 2, Others: 2, Attempts: 2, Failover: true},
			1_000_000, slices.Concat(clocks, []string{"evict"}),
		},
	}
}

// The way taken holds: it never replaces newer data, nothing happens after an event is
// closed, both tiers have the same then, and opened - closed = open.
func TestTakenHolds(t *testing.T) {
	t.Parallel()
	searches := holds()
	if os.Getenv("TIERCACHE_MODEL_WIDE") != "" {
		maps.Copy(searches, wide())
	}
	for name, s := range searches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := explore.Run(repair.Model(repair.Taken, s.parts, s.bounds))
			t.Logf("%d states, %d steps, depth %d", r.States, r.Steps, r.Depth)
			if r.Counterexample != nil {
				t.Fatal(r.Counterexample)
			}
			assert.True(t, r.Complete, "the search ended at %d states", r.States)
			assert.Greater(t, r.States, s.states)
			for _, step := range repair.Steps {
				assert.Equal(t, !slices.Contains(s.never, step), r.Used[step] > 0, "uses of %q: %d", step, r.Used[step])
			}
			for step := range r.Used {
				assert.Contains(t, repair.Steps, step)
			}
		})
	}
}

// To drop the value from L1 is safe too, once the deadline has passed; it loses a write
// that could be kept.
func TestDropL1Holds(t *testing.T) {
	t.Parallel()
	bounds := repair.Bounds{Operations: 2, Others: 2, Evictions: 1}
	r := explore.Run(repair.Model(repair.DropL1, repair.Full, bounds))
	if r.Counterexample != nil {
		t.Fatal(r.Counterexample)
	}
	assert.True(t, r.Complete)
	assert.Positive(t, r.Used["drop L1"])
	assert.Greater(t, r.States, 25_000)
}
