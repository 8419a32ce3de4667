package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/figure"
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
	nanoseconds = quantity{of: figures.time, format: figure.Duration}
	allocations = quantity{of: figures.allocs, format: figure.Count}
	hitRate     = quantity{of: func(f figures) float64 { return f.hits }, format: figure.Percent, seen: true}
	peakHeap    = quantity{of: func(f figures) float64 { return f.peak }, format: figure.Megabytes, seen: true}
	loads       = quantity{of: func(f figures) float64 { return f.result.Extra["loads/op"] }, format: figure.Count}
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

func (q quantity) cell(rounds, base []figures) string {
	if len(rounds) == 0 {
		return cannot
	}
	var values, bases []float64
	for i, f := range rounds {
		if !q.seen || f.seen {
			values, bases = append(values, q.of(f)), append(bases, q.of(base[i]))
		}
	}
	return figure.Cell(values, bases, q.format)
}
