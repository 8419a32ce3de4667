package tiercache_test

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
)

// contractRow is a row of testdata/write_contract.txt, which explains its columns.
type contractRow struct {
	variant, op, l1, l2, drop string
	calls, outcomes           []string
	cause, answer             string
	event                     *contractEvent // nil: there is none

	policy string // variant without which tier is faster
}

// contractEvent is the last column of a row.
type contractEvent struct {
	stale, compensation string
	resolved            bool
	span                string // the name of the span that has the event
}

// readContract returns the rows of the table.
func readContract(t *testing.T) (rows []contractRow) {
	t.Helper()
	f, err := os.Open("testdata/write_contract.txt")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		cols := strings.Split(line, "|")
		require.Len(t, cols, 10, line)
		for i := range cols {
			cols[i] = strings.TrimSpace(cols[i])
		}
		row := contractRow{
			variant: cols[0], op: cols[1], l1: cols[2], l2: cols[3], drop: cols[4],
			calls: strings.Split(cols[5], "; "), outcomes: strings.Fields(cols[6]),
			cause: cols[7], answer: cols[8],
		}
		row.policy, _, _ = strings.Cut(row.variant, "/")
		if words := strings.Fields(cols[9]); len(words) > 1 { // stale, compensation, resolved or open, "on", whose
			require.Len(t, words, 5, line)
			row.event = &contractEvent{words[0], words[1], words[2] == "resolved", row.op + " users"}
			if words[4] != "op" {
				row.event.span += " " + words[4]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// TestWriteContract holds all telemetry of every policy, for every pair of tier
// outcomes, to the table, and finds nothing besides.
func TestWriteContract(t *testing.T) {
	t.Parallel()
	rows := readContract(t)
	require.Greater(t, len(rows), 100)
	for _, row := range rows {
		name := strings.Join([]string{row.variant, row.op, row.l1, row.l2, row.drop}, ",")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testContractRow(t, row) })
		})
	}
}

func testContractRow(t *testing.T, row contractRow) {
	t.Helper()
	policy, ok := policies()[row.policy]
	require.True(t, ok, "no policy %q", row.policy)
	c := newRecorder()
	f := tiercachetest.Over(t, contractTiers(row), append(c.options(), tiercache.WithWritePolicy(policy))...)

	ctx, span := c.caller(t.Context())
	var err error
	if row.op == "set" {
		err = f.Set(ctx, secretKey, secretValue, time.Hour)
	} else {
		err = f.Delete(ctx, secretKey)
	}
	require.NoError(t, f.Close(ctx))
	span.End()

	want := expectedOf(row, err)
	assert.Equal(t, row.answer == "error", err != nil, "the answer: %v", err)
	assert.Equal(t, want.tree, c.Tree())
	assert.Equal(t, want.metrics, c.metrics(t))
	checkEvent(t, c, row, want.event)
	checkError(t, row, err)
	assert.NotContains(t, c.dump(t), secretKey)
	assert.NotContains(t, c.dump(t), secretValue)
}

// contractTiers fail as the row says. The slower one takes a second.
func contractTiers(row contractRow) *tiercachetest.Tiers[string] {
	faults := map[string]backendtest.Fault{
		"applied": nil,
		"failed":  backendtest.FailBefore(errRefused),
		"unknown": backendtest.ApplyThenFail(lostError{}),
	}
	late := func(f backendtest.Fault) backendtest.Fault {
		if f == nil {
			return backendtest.Delay(time.Second)
		}
		return backendtest.Chain(backendtest.Delay(time.Second), f)
	}
	call, fault1, fault2 := tier.Set, faults[row.l1], late(faults[row.l2])
	if strings.HasSuffix(row.variant, "l2 is faster") {
		fault1, fault2 = late(faults[row.l1]), faults[row.l2]
	}
	if row.op == "delete" {
		call = tier.Delete
	}
	tiers := tiercachetest.NewTiers[string]()
	tiers.L2.Described(backends.Description{System: "fake", ServerAddress: "fake.example", ServerPort: 6379})
	if row.l1 != "-" {
		tiers.L1.Next(call, fault1)
	}
	tiers.L1.Next(tier.Delete, faults[row.drop])
	tiers.L2.Next(call, fault2)
	return tiers
}
