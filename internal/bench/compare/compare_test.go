package compare_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/bench/compare"
	"github.com/tiercache/tiercache/internal/bench/driver"
)

// A run of one operation each shows that everything works, and nothing else.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		only    string
		caches  []driver.Driver
		results int // lines of raw results: the drivers that can take part, twice
		wants   []string
	}{
		{"Set", driver.ForBenchmarks(), 24, []string{"| tiercache | ", " † |", "| rueidis DoCache | n/a |"}},
		{"GetL2", driver.ForBenchmarks(), 24, []string{"(1.00x)", "| Get, in L2, with refill |"}},
		{"Load64", driver.ForBenchmarks(), 22, []string{"| no library | n/a |", "| tiercache | 1 (1.00x) |"}},
		{"Zipf95", driver.ForBenchmarks()[:1], 2, []string{"% (1.00x)", "MB (1.00x)"}},
	} {
		var raw, out bytes.Buffer
		report, err := compare.Run(t.Context(), compare.Options{
			Drivers: test.caches, Rounds: 2, Time: "1x", Only: test.only, Raw: &raw, Progress: io.Discard,
		})
		require.NoError(t, err)
		require.NoError(t, report.WriteMarkdown(&out))
		for _, want := range test.wants {
			assert.Contains(t, out.String(), want)
		}
		assert.Equal(t, test.results, strings.Count(raw.String(), "\nBenchmark"+test.only+"/l2=memory/cache="))
	}
}
