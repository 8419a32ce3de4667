package main

import (
	"fmt"
	"path"
	"slices"
)

// row is one line of the table: a benchmark beside its baseline.
type row struct {
	benchmark, baseline string
	budget              budget

	measured           bool // Both series exist and match; otherwise see problems.
	seconds, baseTime  float64
	ratio              float64 // Median over the repetitions.
	hasAllocs          bool
	allocs, baseAllocs float64

	problems []string // Why the budget is not met or cannot be checked.
}

// judge compares the results with the budgets. It returns a row for every
// benchmark that a budget names.
func judge(budgets []budget, res *results, room float64) []row {
	var rows []row
	listed := make(map[string]bool)
	for _, b := range budgets {
		names := expand(b, res, listed)
		for _, name := range names {
			rows = append(rows, newRow(name, b, res, room))
			listed[name] = true
		}
	}
	return rows
}

// expand returns the benchmarks that a budget stands for. A pattern that
// matches nothing is returned as it is, to be reported as missing.
func expand(b budget, res *results, listed map[string]bool) []string {
	if !b.isPattern() {
		return []string{b.benchmark}
	}
	var names []string
	matched := false
	for _, name := range res.names {
		// The pattern was checked when it was parsed.
		if ok, _ := path.Match(b.benchmark, name); !ok {
			continue
		}
		matched = true
		if !listed[name] {
			names = append(names, name)
		}
	}
	if !matched {
		return []string{b.benchmark}
	}
	return names
}

func newRow(name string, b budget, res *results, room float64) row {
	r := row{benchmark: name, baseline: b.baseline, budget: b}
	s, base := res.series[name], res.series[b.baseline]
	switch {
	case s == nil:
		r.fail("not in the input")
		return r
	case base == nil:
		r.fail("its baseline %s is not in the input", b.baseline)
		return r
	case len(s.time) != len(base.time):
		r.fail("has %d repetitions, its baseline %s has %d", len(s.time), b.baseline, len(base.time))
		return r
	}
	r.measured = true
	r.seconds, r.baseTime = median(s.time), median(base.time)
	r.ratio = median(ratios(s.time, base.time))
	r.hasAllocs = len(s.allocs) == len(s.time) && len(base.allocs) == len(base.time)
	if r.hasAllocs {
		r.allocs, r.baseAllocs = median(s.allocs), median(base.allocs)
	}
	r.checkTime(room)
	r.checkAllocs()
	return r
}

// checkTime and checkAllocs are written so that a value that is not a number
// fails.
func (r *row) checkTime(room float64) {
	l := r.budget.time
	if !l.set || r.ratio <= l.value*room {
		return
	}
	widened := ""
	if room > 1 {
		widened = fmt.Sprintf(" (%.2fx with room for noise)", l.value*room)
	}
	r.fail("takes %.2fx the time of %s, the budget is %v%s", r.ratio, r.baseline, l, widened)
}

func (r *row) checkAllocs() {
	l := r.budget.allocs
	if !l.set {
		return
	}
	if !r.hasAllocs {
		r.fail("it or its baseline %s has no allocs/op: run the benchmarks with -benchmem", r.baseline)
		return
	}
	bound := l.value
	if l.relative {
		bound *= r.baseAllocs
	}
	if r.allocs <= bound {
		return
	}
	r.fail("makes %g allocations, %s makes %g, the budget is %v", r.allocs, r.baseline, r.baseAllocs, l)
}

func (r *row) fail(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// ratios divides the elements of a by those of b.
func ratios(a, b []float64) []float64 {
	quotients := make([]float64, len(a))
	for i := range a {
		quotients[i] = a[i] / b[i]
	}
	return quotients
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
