package matrix_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/matrix"
)

// The two columns of tiercache, as they are printed. Where the tiers may have
// been left apart there is an event; a cell without one leaves them equal, or
// L1 without a copy.
var want = map[string][2]string{
	"L2 write fails": {"new/old, err + event", "old/old, err"},
	"L1 write fails": {"old/old, err", "none/new, nil + event"},
	"L2 applied the write, but the client saw a timeout": {"new/new, err + event", "none/new, err + event"},
	"L2 lost the write, and the client saw a timeout":    {"new/old, err + event", "none/old, err + event"},
	"the caller's context ends between the tiers":        {"new/new, nil", "new/new, nil"},
	"L2 delete fails, then a Get":                        {"old/old, err + event; Get old", "old/old, err; Get old"},
	"L1 delete fails, then a Get":                        {"old/old, err; Get old", "old/none, err + event; Get old"},
	"set-if-absent, refused by L2":                       {"old/old, nil", "old/old, nil"},
	"two writers, A and B, of one key":                   {"B/B, nil", "B/B, nil"},
	"a Delete against a Set of one key":                  {"new/new, nil", "new/new, nil"},
	"refill by an old read against a newer Set":          {"new/new, nil", "new/new, nil"},
	"refill by an old read against a Delete":             {"none/none, nil", "none/none, nil"},
	"a load that began before a newer Set":               {"new/new, nil", "new/new, nil"},
	"a load that began before a Delete":                  {"none/none, nil", "none/none, nil"},
	"load and store with L2 down":                        {"loaded/none, nil + event", "none/none, nil"},
	"the leader of a shared load is cancelled: the result of another caller": {
		"loaded/loaded, nil", "loaded/loaded, nil",
	},
	"delete of a key that only L2 has, then a Get": {"none/none, nil; Get none", "none/none, nil; Get none"},
	"a newer value expires in L1, then a Get":      {"none/none, nil; Get none", "none/none, nil; Get none"},
	"L1 evicts a newer value, then a Get":          {"new/new, nil; Get new", "new/new, nil; Get new"},
	"L1 read fails, L2 is healthy":                 {"old/old, nil; Get old", "old/old, nil; Get old"},
}

func TestTiercacheIsNeverSilent(t *testing.T) {
	t.Parallel()
	m, err := matrix.Run(driver.ForMatrix()[:2])
	require.NoError(t, err)
	require.Len(t, m.Rows, len(want))
	for _, row := range m.Rows {
		for i, cell := range row.Cells {
			assert.False(t, cell.Silent, "%s: %s", row.Scenario, cell)
			if cell.NA == "" {
				assert.Equal(t, want[row.Scenario][i], cell.String(), row.Scenario)
			} else {
				assert.Empty(t, want[row.Scenario][i], row.Scenario)
			}
		}
	}
}

// The scripts do find what they look for: without that, an empty list of silent
// divergences would mean nothing.
func TestScriptsFindDivergences(t *testing.T) {
	t.Parallel()
	m, err := matrix.Run(driver.ForMatrix())
	require.NoError(t, err)
	silent := make(map[string]int)
	for _, row := range m.Rows {
		for i, cell := range row.Cells {
			if cell.Silent {
				silent[m.Drivers[i].Name]++
			}
		}
	}
	for _, name := range []string{"gocache chain", "jetcache-go", "go-redis/cache", "theine hybrid", "sturdyc"} {
		assert.Positive(t, silent[name], name)
	}

	var out strings.Builder
	require.NoError(t, m.WriteMarkdown(&out))
	lines := strings.Split(out.String(), "\n")
	for _, line := range lines[:2+len(m.Rows)] {
		assert.Equal(t, len(m.Drivers)+2, strings.Count(line, "|"), line)
	}
	assert.Contains(t, out.String(), "\n1. ", "what is left out has its reason")
}
