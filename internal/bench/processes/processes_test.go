package processes_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/bench/processes"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

func run(t *testing.T, window time.Duration, libraries ...processes.Library) processes.Table {
	t.Helper()
	table, err := processes.Run(t.Context(), libraries, window)
	if errors.Is(err, server.ErrMissing) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return table
}

// Where changes may have been missed, tiercache says so; where the log has them all, it
// catches up without a word if that takes less than the bound.
func TestTiercacheKeepsItsBound(t *testing.T) {
	t.Parallel()
	table := run(t, 15*time.Second, processes.Libraries()[0])
	told := map[string]bool{
		"a half-open connection": true, "a failover that loses the last write": true, "FLUSHALL, then a Set": true,
		"a cluster, half-open connections": true, "a cluster, a failover that loses the last write": true,
		"a late write": false, "a refill against a remote Delete": false,
	}
	for _, row := range table.Rows {
		cell := row.Cells[0]
		assert.False(t, cell.Bold(), "%s: %s", row.Scenario, cell)
		if want, ok := told[row.Scenario]; ok {
			assert.Equal(t, want, cell.Told > 0, "%s: %s", row.Scenario, cell)
		}
	}
}

// The scenarios do find stale values: without that, a table without bold cells would
// mean nothing.
func TestScenariosFindStaleValues(t *testing.T) {
	t.Parallel()
	table := run(t, 4*time.Second, processes.Uncoherent())
	for _, row := range table.Rows {
		assert.True(t, row.Cells[0].Open, "%s: %s", row.Scenario, row.Cells[0])
	}

	var out strings.Builder
	require.NoError(t, table.WriteMarkdown(&out))
	for _, line := range strings.Split(out.String(), "\n")[:2+len(table.Rows)] {
		assert.Equal(t, 3, strings.Count(line, "|"), line)
	}
	assert.Contains(t, out.String(), "| **> 4 s** |")
}
