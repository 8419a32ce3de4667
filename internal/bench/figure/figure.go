// Package figure makes cells of tables of measurements.
package figure

import (
	"fmt"
	"slices"
)

// Cell is the median of the values of all rounds, and the median of their ratios to the
// base in the same round: "200 ns (2.00x)". When the base is nothing, there is no ratio,
// and the difference takes its place. There must be a value.
func Cell(values, base []float64, format func(v float64) string) string {
	var ratios []float64
	for i, v := range values {
		if base[i] >= Negligible {
			ratios = append(ratios, v/base[i])
		}
	}
	text := format(Median(values))
	if len(ratios) < len(values) {
		return fmt.Sprintf("%s (+%s)", text, text)
	}
	return fmt.Sprintf("%s (%.2fx)", text, Median(ratios))
}

// Negligible is an amount below which nothing is divided by it: a background
// goroutine allocates now and then, also beside an operation that does not.
const Negligible = 0.05

// Median returns the value in the middle, or the mean of the two. There must be one.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Duration formats nanoseconds.
func Duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e5:
		return fmt.Sprintf("%.1f µs", ns/1e3)
	}
	return fmt.Sprintf("%.0f µs", ns/1e3)
}

// Count leaves out the decimals of a number that is practically an integer.
func Count(n float64) string {
	if r := float64(int(n + 0.5)); n-r < Negligible && r-n < Negligible {
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.1f", n)
}

// Percent formats a share.
func Percent(share float64) string { return fmt.Sprintf("%.1f %%", share*100) }

// Megabytes formats bytes.
func Megabytes(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }
