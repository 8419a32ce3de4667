package repair_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/model/explore"
	"github.com/tiercache/tiercache/internal/model/repair"
)

// wrong is a way that does not hold, or the way taken without one of its rules.
type wrong struct {
	name, rule string
	way        repair.Way
	parts      repair.Parts
	bounds     repair.Bounds
	steps      int // of the shortest counterexample
}

func wrongs() []wrong {
	one := repair.Bounds{Operations: 1, Others: 2, Attempts: 2}
	evict, two, failover, clock := one, one, one, one
	evict.Evictions, two.Operations, failover.Failover, clock.ClockBacks = 1, 2, true, 1
	no := repair.Full.Without
	return []wrong{
		{"blind retry", "sends the write again, after its deadline", repair.BlindRetry, repair.Full, one, 6},
		{"read, compare clocks, write", "writes if the value that it has read is older; the clocks are perfect", repair.ReadCompareWrite, repair.Full, one, 7},
		{"compare-and-set on the version that the repair read", "writes if that version is still there", repair.CompareAndSetOnRead, repair.Full, one, 7},
		{"drop L1 only, no deadline", "closes the event, and the request arrives later", repair.DropL1, no(repair.Deadlines), one, 5},
		{"Deadlines", "L2 refuses a request after its deadline", repair.Taken, no(repair.Deadlines), one, 6},
		{"WaitForDeadline", "the repair looks after it", repair.Taken, no(repair.WaitForDeadline), one, 5},
		{"LookAfterOlder", "an applied write does not close the event of an older one, which may come last", repair.Taken, no(repair.LookAfterOlder), two, 6},
		{"BaseBefore", "the base is the highest version known before the operation begins", repair.Taken, no(repair.BaseBefore), one, 8},
		{"AbsentRefusesPut", "`NotNewer` refuses a Put where L2 has nothing: what was there may have been newer", repair.Taken, no(repair.AbsentRefusesPut), evict, 8},
		{"AbsentRefusesPut, Tombstones", "a delete leaves its version", repair.Taken, no(repair.AbsentRefusesPut | repair.Tombstones), one, 7},
		{"SameServer", "a condition fails on another server than the one that gave its version", repair.Taken, no(repair.SameServer), failover, 10},
		{"FillClosed", "L1 is not filled from L2 while the key is open", repair.Taken, no(repair.FillClosed), one, 3},
		{"CloseReplaced", "a newer event of the key closes the older one", repair.Taken, no(repair.CloseReplaced), two, 4},
		{"Reopen", "a message of a resolved operation opens a new event, if the clock of L2 steps back", repair.Taken, no(repair.Reopen), clock, 6},
	}
}

// The other ways do not hold, nor does the way taken without any of its rules. The README
// has the table.
func TestOtherWaysFail(t *testing.T) {
	t.Parallel()
	table := "| Way, or rule left out | Steps | The rule |\n|-|-|-|\n"
	for _, w := range wrongs() {
		table += fmt.Sprintf("| %s | %d | %s |\n", w.name, w.steps, w.rule)
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			r := explore.Run(repair.Model(w.way, w.parts, w.bounds))
			require.NotNil(t, r.Counterexample, "%d states, and none violates a promise", r.States)
			t.Logf("%s\n%s", w.rule, r.Counterexample)
			assert.Len(t, r.Counterexample.Path, w.steps)
		})
	}
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), table, "README.md lacks the table")
}

// The table leaves out every rule.
func TestOtherWaysFail_AllRules(t *testing.T) {
	t.Parallel()
	missing := repair.Full
	for _, w := range wrongs() {
		missing = missing.Without(repair.Full.Without(w.parts))
	}
	assert.Zero(t, missing)
}
