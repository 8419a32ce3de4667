package compare

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// Marks of cells, explained below the tables.
const (
	cannot  = "n/a"
	partial = "†" // the library does less than the others
)

// WriteMarkdown prints the tables. Every figure has its ratio to that of the
// first driver: the median of the ratios of all rounds. The figure itself is the
// median of all rounds.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	for _, t := range r.tables {
		l2 := map[string]string{"memory": "L2 in memory", "redis": "L2 in Redis"}[t.store]
		fmt.Fprintf(&out, "**%s: time of an operation**\n\n", l2)
		r.write(&out, t, nanoseconds)
		fmt.Fprintf(&out, "**%s: allocations of an operation**\n\n", l2)
		r.write(&out, t, allocations)
		r.writeObserved(&out, t, l2)
	}
	out.WriteString(r.legend())
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Report) legend() string {
	lines := []string{
		cannot + ": the library cannot do it.",
		partial + ": the work is not equal: the library's Set writes L1 only.",
		"x: times the figure of " + r.drivers[0].Name + "; +: more than it, where that is none.",
	}
	return strings.Join(lines, "\\\n") + "\n"
}

// quantity is one that can be compared.
type quantity struct {
	of     func(f figures) float64
	format func(v float64) string
	seen   bool // it is not there in all rounds
}

var (
	nanoseconds = quantity{of: figures.time, format: duration}
	allocations = quantity{of: figures.allocs, format: count}
	hitRate     = quantity{of: func(f figures) float64 { return f.hits }, format: percent, seen: true}
	peakHeap    = quantity{of: func(f figures) float64 { return f.peak }, format: megabytes, seen: true}
	loads       = quantity{of: func(f figures) float64 { return f.result.Extra["loads/op"] }, format: count}
)

// write prints a table with a column for each workload.
func (r *Report) write(out *strings.Builder, t table, q quantity) {
	var titles []string
	for _, l := range r.workloads {
		titles = append(titles, l.title)
	}
	r.head(out, titles)
	for j, d := range r.drivers {
		fmt.Fprintf(out, "| %s |", d.Name)
		for i, l := range r.workloads {
			cell := q.cell(t.figures[i][j], t.figures[i][0])
			if cell != cannot && l.sets && d.Missing(driver.WriteThrough) != "" {
				cell += " " + partial
			}
			fmt.Fprintf(out, " %s |", cell)
		}
		out.WriteString("\n")
	}
	out.WriteString("\n")
}

// writeObserved prints the observations other than times.
func (r *Report) writeObserved(out *strings.Builder, t table, l2 string) {
	type column struct {
		title    string
		workload int
		q        quantity
	}
	var columns []column
	for i, l := range r.workloads {
		switch {
		case l.loads:
			columns = append(columns, column{"loads by 64 callers", i, loads})
		case l.mix > 0 && t.store == "memory":
			columns = append(columns, column{l.title + ": hits in L1", i, hitRate}, column{"peak heap", i, peakHeap})
		}
	}
	if len(columns) == 0 {
		return
	}
	fmt.Fprintf(out, "**%s: hit rate, memory, loads**\n\n", l2)
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	r.head(out, titles)
	for j, d := range r.drivers {
		fmt.Fprintf(out, "| %s |", d.Name)
		for _, c := range columns {
			fmt.Fprintf(out, " %s |", c.q.cell(t.figures[c.workload][j], t.figures[c.workload][0]))
		}
		out.WriteString("\n")
	}
	out.WriteString("\n")
}

func (r *Report) head(out *strings.Builder, titles []string) {
	fmt.Fprintf(out, "| | %s |\n|-|%s\n", strings.Join(titles, " | "), strings.Repeat("-:|", len(titles)))
}

// cell is a figure and its ratio to the base. When the base is nothing, there is
// no ratio, and the difference takes its place.
func (q quantity) cell(rounds, base []figures) string {
	if len(rounds) == 0 {
		return cannot
	}
	var values, ratios []float64
	for i, f := range rounds {
		if q.seen && !f.seen {
			continue
		}
		v, b := q.of(f), q.of(base[i])
		values = append(values, v)
		if b >= negligible {
			ratios = append(ratios, v/b)
		}
	}
	text := q.format(median(values))
	if len(ratios) < len(values) {
		return fmt.Sprintf("%s (+%s)", text, text)
	}
	return fmt.Sprintf("%s (%.2fx)", text, median(ratios))
}

// negligible is an amount below which nothing is divided by it: a background
// goroutine allocates now and then, also beside an operation that does not.
const negligible = 0.05

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e5:
		return fmt.Sprintf("%.1f µs", ns/1e3)
	}
	return fmt.Sprintf("%.0f µs", ns/1e3)
}

// count leaves out the decimals of a number that is practically an integer.
func count(n float64) string {
	if r := float64(int(n + 0.5)); n-r < negligible && r-n < negligible {
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.1f", n)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", share*100) }

func megabytes(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }
