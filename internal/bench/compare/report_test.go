package compare

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func rounds(ns ...int) []figures {
	var all []figures
	for _, n := range ns {
		f := figures{}
		f.result.N, f.result.T = 1, time.Duration(n)
		all = append(all, f)
	}
	return all
}

// In the second round the machine was slow. It moves neither the median nor the
// ratio.
func TestCell(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "200 ns (2.00x)", nanoseconds.cell(rounds(200, 2000, 200), rounds(100, 1000, 100)))
	assert.Equal(t, "n/a", nanoseconds.cell(nil, rounds(1)))
	assert.Equal(t, "0 (+0)", allocations.cell(rounds(1), rounds(1)))
}

func TestData(t *testing.T) {
	t.Parallel()
	keys := slices.Sorted(slices.Values(makeKeys()))
	assert.Len(t, slices.Compact(keys), keyCount, "all keys are different")

	counts := make([]int, keyCount)
	for _, i := range zipf() {
		counts[i]++
	}
	assert.Equal(t, slices.Max(counts), counts[0], "the first key is the hottest")
	again := zipf()
	assert.Equal(t, zipf(), again, "the draws are the same in every run")
}
