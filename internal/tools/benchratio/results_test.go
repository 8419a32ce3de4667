package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadResults(t *testing.T) {
	t.Parallel()
	res, err := readResults(nil, strings.NewReader("pkg: p\n"+
		"BenchmarkA/n=8/lower-case-4 \t 1 \t 2.5 ns/op \t 7 custom/op\n"+
		"BenchmarkB-4 1 3 ns/op 8 B/op 2 allocs/op\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"A/n=8/lower-case", "B"}, res.names)
	assert.InDeltaSlice(t, []float64{2.5e-9}, res.series["A/n=8/lower-case"].time, 1e-15)
	assert.Empty(t, res.series["A/n=8/lower-case"].allocs)
	assert.Equal(t, []float64{2}, res.series["B"].allocs)
}

func TestReadBadResults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ input, want string }{
		"no time":      {"BenchmarkA-4 1 8 B/op\n", "without ns/op"},
		"malformed":    {"BenchmarkA-4 one 8 ns/op\n", "standard input:1"},
		"two packages": {"pkg: p\nBenchmarkA-4 1 8 ns/op\npkg: q\nBenchmarkA-4 1 8 ns/op\n", "two packages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readResults(nil, strings.NewReader(test.input))
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
		})
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	values := []float64{9, 1, 4}
	assert.InDelta(t, 4.0, median(values), 0)
	assert.Equal(t, []float64{9, 1, 4}, values, "the input keeps its order")
	assert.InDelta(t, 2.5, median([]float64{4, 1}), 0)
}
