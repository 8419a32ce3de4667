package ycsb_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/ycsb"
)

func miniature() ycsb.Options {
	return ycsb.Options{
		Drivers: driver.ForRecords(), Records: 200, ValueSize: 100, Operations: 400, Threads: threads, L1: 40,
		Rounds: 2, Progress: io.Discard,
	}
}

// All libraries run all workloads over an L2 in the process, but for those that need a
// Redis. The figures are those of so little work, and mean nothing.
func TestRun(t *testing.T) {
	t.Parallel()
	o := miniature()
	report, err := ycsb.Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, 2, report.Rounds)
	var out bytes.Buffer
	require.NoError(t, report.WriteMarkdown(&out))

	const workloads = 6
	for _, d := range o.Drivers {
		want := workloads
		if d.NeedsRedis {
			want = 0
		}
		assert.Equal(t, want, strings.Count(out.String(), "\n| "+d.Name+" |"), d.Name)
	}
	for line := range strings.Lines(out.String()) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| tiercache |") {
			require.Len(t, cells, 9)
			assert.NotEqual(t, "0.0 %", cells[6], "L1 has hits")
			assert.Equal(t, "0.0 % |\n", cells[8], "nothing is lost")
		}
	}
	assert.Contains(t, out.String(), "†")
	assert.Contains(t, out.String(), "| – | – |", "nothing is written in workloads C and G")
}

func TestRunOnly(t *testing.T) {
	t.Parallel()
	o := miniature()
	o.Rounds, o.Only = 1, "D"
	report, err := ycsb.Run(t.Context(), o)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, report.WriteMarkdown(&out))
	assert.Equal(t, 1, strings.Count(out.String(), "\n| tiercache |"))
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(o *ycsb.Options){
		"no threads":   func(o *ycsb.Options) { o.Threads = 0 },
		"one record":   func(o *ycsb.Options) { o.Records = 1 },
		"a workload":   func(o *ycsb.Options) { o.Only = "E" },
		"no libraries": func(o *ycsb.Options) { o.Drivers = nil },
	} {
		o := miniature()
		spoil(&o)
		_, err := ycsb.Run(t.Context(), o)
		require.Error(t, err, name)
	}
}
