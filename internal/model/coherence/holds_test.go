package coherence_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/model/coherence"
	"github.com/tiercache/tiercache/internal/model/explore"
)

// search is one that finds nothing.
type search struct {
	parts  coherence.Parts
	bounds coherence.Bounds
	states int      // more than so many; fewer would mean that the search goes nowhere
	never  []string // steps that the bounds exclude
}

var (
	ownSets  = []string{"set, L1 first", "set, L2 first", "L2 applies", "L2 refuses", "answer", "give up"}
	failover = []string{"replica catches up", "failover"}
	splits   = []string{"failover, readers stay"}
	replica  = []string{"read replica"}
	others   = []string{"another key is written"}
	faults   = []string{
		"evict the value", "trim one", "trim all", "delete the log", "flush all", "script fails half-way",
		"revalidate", "L2 refuses", "another process joins",
	}
)

func holds() map[string]search {
	const full = coherence.Full
	type b = coherence.Bounds
	return map[string]search{
		"own writes, other keys, logs of any era": {
			full,
			b{Caches: 1, Writes: 2, Others: 1, Joins: 2, Faults: 1, Eras: 1, OwnSets: true, L1First: true, OldEras: true},
			1_000_000, slices.Concat(replica, failover, splits),
		},
		"own writes, failover": {
			full,
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 1, Eras: 1, OwnSets: true, L1First: true, Failover: true},
			1_000_000, slices.Concat(replica, others, splits),
		},
		"reads, failover, other keys": {
			full,
			b{Caches: 1, Writes: 2, Others: 1, Joins: 2, Faults: 1, Eras: 1, Failover: true},
			1_500_000, slices.Concat(replica, ownSets, splits),
		},
		"reads, two faults, other keys": {
			full,
			b{Caches: 1, Writes: 1, Others: 1, Joins: 2, Faults: 2, Eras: 2, OldEras: true},
			200_000, slices.Concat(replica, ownSets, failover, splits),
		},
		"reads, two faults, three joins": {
			full,
			b{Caches: 1, Writes: 2, Joins: 3, Faults: 2, Eras: 1},
			150_000, slices.Concat(replica, ownSets, failover, splits, others),
		},
		"two caches": {
			full,
			b{Caches: 2, Writes: 1, Joins: 2, Eras: 1, OwnSets: true},
			200_000, slices.Concat(replica, failover, splits, others, faults, []string{"set, L1 first"}),
		},
		"reads of a replica that has all messages": {
			full.Without(coherence.ReadPrimary) | coherence.CompareReplica,
			b{Caches: 1, Writes: 2, Joins: 2, Eras: 1},
			5_000, slices.Concat(ownSets, splits, others, faults, []string{"failover"}),
		},
		"two primaries, answers compared": {
			full | coherence.CompareAnswers,
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 1, Eras: 1, Failover: true, Split: true},
			200_000, slices.Concat(replica, ownSets, others),
		},
		"eras used again, but only if nobody has written": {
			full.Without(coherence.NewEras) | coherence.WaitForEra,
			b{Caches: 1, Writes: 1, Others: 1, Joins: 2, Faults: 2, Eras: 1},
			100_000, slices.Concat(replica, ownSets, failover, splits),
		},
		"position for highest version": {
			full.Without(coherence.CompareReplies),
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 1, Eras: 1, Failover: true},
			200_000, slices.Concat(replica, ownSets, others, splits),
		},
	}
}

// wide are searches of a minute and a gigabyte, which TIERCACHE_MODEL_WIDE=1 adds.
func wide() map[string]search {
	const full = coherence.Full
	type b = coherence.Bounds
	return map[string]search{
		"wide: own writes, two faults": {
			full,
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 2, Eras: 1, OwnSets: true, L1First: true, OldEras: true},
			1_500_000, slices.Concat(replica, failover, splits, others),
		},
		"wide: reads, failover, two faults": {
			full,
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 2, Eras: 1, Failover: true},
			2_000_000, slices.Concat(replica, ownSets, splits, others),
		},
		"wide: reads, failover, three writes": {
			full,
			b{Caches: 1, Writes: 3, Joins: 3, Faults: 1, Eras: 1, Failover: true},
			1_500_000, slices.Concat(replica, ownSets, splits, others),
		},
		"wide: eras used again, but only if nobody has written": {
			full.Without(coherence.NewEras) | coherence.WaitForEra,
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 2, Eras: 1, Failover: true},
			2_000_000, slices.Concat(replica, ownSets, splits, others),
		},
		"wide: two caches, fault": {
			full,
			b{Caches: 2, Writes: 1, Joins: 2, Faults: 1, Eras: 1},
			1_500_000, slices.Concat(replica, ownSets, failover, splits, others),
		},
		"wide: two primaries, own writes, answers compared": {
			full | coherence.CompareAnswers,
			b{Caches: 1, Writes: 2, Joins: 2, Faults: 1, Eras: 1, OwnSets: true, L1First: true, Failover: true, Split: true},
			1_500_000, slices.Concat(replica, others),
		},
	}
}

// The protocol holds: in no state does an unflagged hit show a value that had been
// replaced at the instant of the proof.
func TestProtocolHolds(t *testing.T) {
	t.Parallel()
	searches := holds()
	if os.Getenv("TIERCACHE_MODEL_WIDE") != "" {
		maps.Copy(searches, wide())
	}
	for name, s := range searches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := explore.Run(coherence.Model(s.parts, s.bounds))
			t.Logf("%d states, %d steps, depth %d", r.States, r.Steps, r.Depth)
			if r.Counterexample != nil {
				t.Fatal(r.Counterexample)
			}
			assert.True(t, r.Complete, "the search ended at %d states", r.States)
			assert.Greater(t, r.States, s.states)
			var used []string
			for step := range r.Used {
				if name := strings.TrimSuffix(step, " (2)"); !slices.Contains(used, name) {
					used = append(used, name)
				}
			}
			want := slices.DeleteFunc(slices.Clone(coherence.Steps), func(step string) bool { return slices.Contains(s.never, step) })
			assert.ElementsMatch(t, want, used, "the steps that were used")
		})
	}
}
