package linearizability

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/writepolicy"
)

// scaled is how many rounds are run of each setup: the given number, times
// TIERCACHE_ROUNDS, which is 1 unless it is set.
func scaled(t *testing.T, rounds int) int {
	t.Helper()
	if s := os.Getenv("TIERCACHE_ROUNDS"); s != "" {
		times, err := strconv.Atoi(s)
		require.NoError(t, err, "TIERCACHE_ROUNDS must be a number")
		rounds *= times
	}
	return rounds
}

// TestClaims runs every row of the table in every column. Where a claim holds,
// each history has an explanation. Whether it holds or not, once all has ended no
// tiers differ in silence.
func TestClaims(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	for _, row := range claims() {
		for i, col := range columns() {
			for _, c := range col.rounds {
				t.Run(fmt.Sprintf("%s, %+v", row.name, c), func(t *testing.T) {
					t.Parallel()
					setup{row.policy, nil, c, row.prompt}.check(t, seed, row.cells[i] == nil)
				})
			}
		}
	}
}

// TestClaims_OtherReadPolicies looks only at the end, for the read policies that
// ask both tiers at once: with them, no claim holds.
func TestClaims_OtherReadPolicies(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	for _, reads := range []readpolicy.Policy{readpolicy.Parallel(), readpolicy.Race()} {
		for _, row := range claims() {
			for _, col := range columns() {
				for _, c := range col.rounds {
					t.Run(fmt.Sprintf("%s, %s, %+v", reads.Name(), row.name, c), func(t *testing.T) {
						t.Parallel()
						setup{row.policy, reads, c, row.prompt}.check(t, seed, false)
					})
				}
			}
		}
	}
}

// l2Leads reports whether the policy writes L2 before L1.
func (c claim) l2Leads() bool {
	name := writepolicy.NameOf(c.policy())
	return name == "sequential_l2_first" || name == "write_around"
}

// check runs rounds, more of them if they have to be linearizable.
func (s setup) check(t *testing.T, seed uint64, holds bool) {
	t.Helper()
	rounds := 25
	if holds {
		rounds = 250
	}
	s.rounds(t, seed, scaled(t, rounds), func(number uint64, o outcome) bool {
		assert.Empty(t, o.silent, "seed %d, round %d: keys whose tiers differ, and nobody was told", seed, number)
		if holds {
			assert.True(t, linearizable(o.history), "seed %d, round %d: no order of these calls explains their answers:\n%s",
				seed, number, describe(o.history))
		}
		return !t.Failed()
	})
}

// TestCounterexamples runs those of the table. The checker must reject them.
func TestCounterexamples(t *testing.T) {
	t.Parallel()
	for _, row := range claims() {
		for i, col := range columns() {
			if c := row.cells[i]; c != nil {
				t.Run(row.name+", "+col.name, func(t *testing.T) {
					t.Parallel()
					c.assertRejected(t, tiercache.WithWritePolicy(row.policy()))
				})
			}
		}
	}
}

// TestCounterexamples_OtherReadPolicies does the same for the read policies that
// ask both tiers at once, without eviction and faults, where the table claims that
// the default holds.
func TestCounterexamples_OtherReadPolicies(t *testing.T) {
	t.Parallel()
	for _, row := range claims() {
		if row.cells[0] != nil {
			continue
		}
		parallel, race := behindL1, fasterL1
		if row.l2Leads() {
			parallel, race = aheadOfL1, fasterL2
		}
		for reads, c := range map[readpolicy.Policy]*counterexample{
			readpolicy.Parallel(): parallel,
			readpolicy.Race():     race,
		} {
			t.Run(reads.Name()+", "+row.name, func(t *testing.T) {
				t.Parallel()
				c.assertRejected(t, tiercache.WithWritePolicy(row.policy()), tiercache.WithReadPolicy(reads))
			})
		}
	}
}

// TestCounterexample_AppliedLate is a limit of the table's claims about faults in L2: a
// write that fails has been applied then, or never is.
func TestCounterexample_AppliedLate(t *testing.T) {
	t.Parallel()
	for _, row := range claims() {
		if row.l2Leads() {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				appliedLate.assertRejected(t, tiercache.WithWritePolicy(row.policy()))
			})
		}
	}
}

func (c *counterexample) assertRejected(t *testing.T, opts ...tiercache.Option) {
	t.Helper()
	o := runScenario(t, c.script, opts...)
	assert.False(t, linearizable(o.history), "there is an order of these calls that explains their answers:\n%s", describe(o.history))
	assert.Empty(t, o.silent, "keys whose tiers differ, and nobody was told")
}

// TestTable prints the table as Markdown, for docs/policies.md.
func TestTable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| Policy |")
	rule := "|-|"
	for _, col := range columns() {
		b.WriteString(" " + col.name + " |")
		rule += "-|"
	}
	b.WriteString("\n" + rule + "\n")
	for _, row := range claims() {
		b.WriteString("| `" + row.name + "` |")
		for _, c := range row.cells {
			if c == nil {
				b.WriteString(" holds |")
			} else {
				b.WriteString(" no: " + c.why + " |")
			}
		}
		b.WriteString("\n")
	}
	t.Log("\n" + b.String())
}
