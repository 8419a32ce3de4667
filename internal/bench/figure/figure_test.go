package figure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/bench/figure"
)

// In the second round the machine was slow. It moves neither the median nor the
// ratio.
func TestCell(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "200 ns (2.00x)",
		figure.Cell([]float64{200, 2000, 200}, []float64{100, 1000, 100}, figure.Duration))
	assert.Equal(t, "0 (+0)", figure.Cell([]float64{0}, []float64{0}, figure.Count))
}

func TestFormats(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "999 ns", figure.Duration(999))
	assert.Equal(t, "1.5 µs", figure.Duration(float64(1500*time.Nanosecond)))
	assert.Equal(t, "150 µs", figure.Duration(150_000))
	assert.Equal(t, "2", figure.Count(2.01))
	assert.Equal(t, "2.4", figure.Count(2.4))
	assert.Equal(t, "12.3 %", figure.Percent(0.123))
	assert.Equal(t, "1.5 MB", figure.Megabytes(1.5e6))
}

func TestMedian(t *testing.T) {
	t.Parallel()
	assert.InDelta(t, 4.0, figure.Median([]float64{9, 1, 4}), 0)
	assert.InDelta(t, 2.5, figure.Median([]float64{4, 1}), 0)
}
