package ycsb

import (
	"fmt"
	"io"
	"strings"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/figure"
)

// Marks of cells, explained below the tables.
const (
	absent  = "–"
	partial = "†" // the library does less than the others
)

// column is one of a table.
type column struct {
	title  string
	of     func(f figures) float64
	format func(v float64) string
	ratio  bool // to the base, beside the figure
	has    func(f figures) bool
	writes bool
}

func columns() []column {
	reads, writes := func(f figures) bool { return f.hasReads }, func(f figures) bool { return f.hasWrites }
	always := func(figures) bool { return true }
	return []column{
		{title: "operations/s", of: func(f figures) float64 { return f.throughput }, format: perSecond, ratio: true, has: always},
		{title: "read p50", of: func(f figures) float64 { return f.readP50 }, format: figure.Duration, ratio: true, has: reads},
		{title: "read p99", of: func(f figures) float64 { return f.readP99 }, format: figure.Duration, ratio: true, has: reads},
		{title: "write p50", of: func(f figures) float64 { return f.writeP50 }, format: figure.Duration, ratio: true, has: writes, writes: true},
		{title: "write p99", of: func(f figures) float64 { return f.writeP99 }, format: figure.Duration, ratio: true, has: writes, writes: true},
		{title: "hits in L1", of: func(f figures) float64 { return f.hits }, format: figure.Percent, has: reads},
		{title: "allocations", of: func(f figures) float64 { return f.allocs }, format: figure.Count, has: always},
		{title: "not found", of: func(f figures) float64 { return f.missing }, format: figure.Percent, has: reads},
	}
}

// WriteMarkdown prints a table for each workload. A figure is the median of all rounds;
// its ratio is the median of the ratios to the first driver in the same round.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	for i, l := range r.workloads {
		fmt.Fprintf(&out, "**%s**\n\n| |", l.title)
		for _, c := range columns() {
			fmt.Fprintf(&out, " %s |", c.title)
		}
		fmt.Fprintf(&out, "\n|-|%s\n", strings.Repeat("-:|", len(columns())))
		for j, d := range r.drivers {
			fmt.Fprintf(&out, "| %s |", d.Name)
			for _, c := range columns() {
				fmt.Fprintf(&out, " %s |", c.cell(d, r.figures[i][j], r.figures[i][0]))
			}
			out.WriteString("\n")
		}
		out.WriteString("\n")
	}
	out.WriteString(r.legend())
	_, err := io.WriteString(w, out.String())
	return err
}

func (c column) cell(d driver.Driver, rounds, base []figures) string {
	if !c.has(rounds[0]) {
		return absent
	}
	values, bases := make([]float64, len(rounds)), make([]float64, len(rounds))
	for i := range rounds {
		values[i], bases[i] = c.of(rounds[i]), c.of(base[i])
	}
	text := c.format(figure.Median(values))
	if c.ratio {
		text = figure.Cell(values, bases, c.format)
	}
	if c.writes && d.Missing(driver.WriteThrough) != "" {
		text += " " + partial
	}
	return text
}

func (r *Report) legend() string {
	lines := []string{
		partial + ": the work is not equal: the library's Set writes L1 only.",
		"x: times the figure of " + r.drivers[0].Name + ". Allocations are of one operation.",
		"Not found: reads whose record exists, or was written, and which the library did not find.",
	}
	return strings.Join(lines, "\\\n") + "\n"
}

func perSecond(n float64) string {
	if n >= 1e6 {
		return fmt.Sprintf("%.2f M", n/1e6)
	}
	return fmt.Sprintf("%.1f k", n/1e3)
}
