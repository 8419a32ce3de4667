package coherence_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/model/coherence"
	"github.com/tiercache/tiercache/internal/model/explore"
)

// left is what is left out of the protocol.
type left struct {
	name   string // of the part
	rule   string
	parts  coherence.Parts // that remain
	bounds coherence.Bounds
	steps  int // of the shortest counterexample
}

func leftOut() []left {
	const full = coherence.Full
	type b = coherence.Bounds
	usual := b{Caches: 1, Writes: 2, Others: 1, Joins: 2, Faults: 1, Eras: 1, OwnSets: true, L1First: true, OldEras: true}
	failover := b{Caches: 1, Writes: 2, Joins: 2, Faults: 1, Eras: 1, OwnSets: true, Failover: true}
	reads := b{Caches: 1, Writes: 2, Joins: 2, Faults: 1, Eras: 1, Failover: true}
	split := reads
	split.Split = true
	no := full.Without
	return []left{
		{"CompareServers", "a heartbeat compares the server with the one that was joined", no(coherence.CompareServers), failover, 7},
		{"CompareHead", "the head of the log is not below a version that was seen", no(coherence.CompareHead), usual, 7},
		{"DenseIDs", "an id other than the next one is a gap; `XREAD` alone skips it", no(coherence.DenseIDs), usual, 9},
		{"DenseIDs, MatchLog", "the same; to look whether the log has the reader's position is not enough", no(coherence.DenseIDs) | coherence.MatchLog, usual, 9},
		{"ConsumeToHead", "a heartbeat counts when all up to its head was consumed", no(coherence.ConsumeToHead), usual, 6},
		{"AsOfSent", "its instant is that before it was sent", no(coherence.AsOfSent), usual, 6},
		{"ReconnectProvesNothing", "a new connection is no proof", no(coherence.ReconnectProvesNothing), usual, 5},
		{"SuspectEntries", "entries and negatives from before a gap are suspect", no(coherence.SuspectEntries), usual, 6},
		{"SuspectAtJoin", "so are those from between the gap and the join", no(coherence.SuspectAtJoin), usual, 6},
		{"FenceOnLoss", "a gap or a join breaks the fences of reads", no(coherence.FenceOnLoss), usual, 6},
		{"FenceOnMessage", "a message breaks the fences of reads of its key", no(coherence.FenceOnMessage), usual, 7},
		{"WritesOnLoss", "a write that was under way at a gap or a join stores nothing in L1", no(coherence.WritesOnLoss), usual, 7},
		{"LeaveWithWriter", "a message leaves its version with the writer that holds the key's lock", no(coherence.LeaveWithWriter), usual, 9},
		{"DropUnderWriter", "and drops the entry at once all the same", no(coherence.DropUnderWriter), usual, 9},
		{"DropNegatives", "a message drops the key's negative too", no(coherence.DropNegatives), usual, 7},
		{"FlagUnversioned", "an L1-first value is flagged until L2 has answered", no(coherence.FlagUnversioned), usual, 6},
		{"DropOtherEras", "versions compare within an era; entries of another one are not stored", no(coherence.DropOtherEras), usual, 9},
		{"RevalidateWrite", "unchanged is the same write, not merely the same version", no(coherence.RevalidateWrite), reads, 13},
		{"NoMakeStream", "a write does not make the log (`NOMKSTREAM`)", no(coherence.NoMakeStream), usual, 8},
		{"NewEras", "a new log has an era that no log had, be it seen by a reader or not", no(coherence.NewEras), usual, 8},
		{"LogFirst", "the script adds the message before it changes the value", no(coherence.LogFirst), usual, 6},
		{"ReadPrimary", "reads go to the primary", no(coherence.ReadPrimary), usual, 6},
		{"(two primaries)", "the pool and the reader talk to the same server; `CompareAnswers` sees to it", full, split, 7},
	}
}

// With any part left out, the protocol does not hold. The README has the table.
func TestPartsAreNeeded(t *testing.T) {
	t.Parallel()
	table := "| Left out | Steps | The rule |\n|-|-|-|\n"
	for _, l := range leftOut() {
		table += fmt.Sprintf("| %s | %d | %s |\n", l.name, l.steps, l.rule)
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			r := explore.Run(coherence.Model(l.parts, l.bounds))
			require.NotNil(t, r.Counterexample, "%d states, and none violates the promise", r.States)
			t.Logf("%s\n%s", l.rule, r.Counterexample)
			assert.Len(t, r.Counterexample.Path, l.steps)
		})
	}
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), table, "README.md lacks the table")
}

// The table leaves out every part once.
func TestPartsAreNeeded_All(t *testing.T) {
	t.Parallel()
	missing := coherence.Full.Without(coherence.CompareReplies) // the position does as well
	for _, l := range leftOut() {
		missing = missing.Without(coherence.Full.Without(l.parts))
	}
	assert.Zero(t, missing)
}
