package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Words of the table's last column.
const (
	verdictOK      = "ok"
	verdictOver    = "OVER"
	verdictMissing = "MISSING"
)

// none fills the cells that say nothing.
const none = "-"

// writeTable prints the rows as plain text.
func writeTable(w io.Writer, rows []row, room float64) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "benchmark\tbaseline\tns/op\tbaseline\tratio\tlimit\tallocs/op\tbaseline\tlimit\tresult")
	for _, r := range rows {
		seconds, baseTime, ratio, allocs, baseAllocs := none, none, none, none, none
		if r.measured {
			seconds, baseTime = nanoseconds(r.seconds), nanoseconds(r.baseTime)
			ratio = fmt.Sprintf("%.2fx", r.ratio)
		}
		if r.hasAllocs {
			allocs, baseAllocs = fmt.Sprintf("%g", r.allocs), fmt.Sprintf("%g", r.baseAllocs)
		}
		cells := []string{
			r.benchmark, r.baseline,
			seconds, baseTime, ratio, r.budget.time.String(),
			allocs, baseAllocs, r.budget.allocs.String(),
			r.verdict(),
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	if room > 1 {
		fmt.Fprintf(tw, "The limits of time are widened by the factor %g, to leave room for noise.\n", room)
	}
	return tw.Flush()
}

// verdict sums the row up in a word.
func (r row) verdict() string {
	switch {
	case !r.measured:
		return verdictMissing
	case len(r.problems) > 0:
		return verdictOver
	case r.budget.time.set || r.budget.allocs.set:
		return verdictOK
	default:
		return none // The row only lists.
	}
}

// nanoseconds formats a time with three digits or so.
func nanoseconds(seconds float64) string {
	ns := seconds * 1e9
	if ns < 100 {
		return fmt.Sprintf("%.1f", ns)
	}
	return fmt.Sprintf("%.0f", ns)
}
