package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tracing"
)

// screenWidth is that of the usual terminal, which has 24 lines.
const screenWidth = 80

// report prints the output of the program.
type report struct {
	out    io.Writer
	colour palette
	trees  bool // else only the ids of the traces
	width  int  // of a screen for one scenario; 0: all scenarios are shown, however wide

	events   int                   // on spans
	keys     []string              // in the order of their first scenario
	reported map[string]bool       // by key: there was an event in its last scenario
	tiers    map[string]*tiers     // by key
	began    map[trace.TraceID]int // the numbers of the scenarios, by trace
}

func newReport(out io.Writer) *report {
	return &report{
		out: out, reported: make(map[string]bool), tiers: make(map[string]*tiers), began: make(map[trace.TraceID]int),
	}
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

func (r *report) intro(one bool) {
	r.line("%s", r.colour.bold("tiercache: two cache tiers as one, and no divergence between them is silent."))
	if one {
		r.line("Here L1 is otter, in this process, and L2 is badger, in a temporary folder; a")
		r.line("fault kit for tests makes them fail. This is the trace of a request, what its")
		r.line("caller got, and what the tiers hold afterwards.")
		return
	}
	r.line("Here L1 is otter, in this process, and L2 is badger, in a temporary folder. Writes")
	r.line("and reads go to L1, then to L2, and a fault kit for tests makes the tiers fail. A block")
	r.line("shows the trace of a request, what its caller got, and what the tiers hold afterwards.")
}

// scenario prints one block.
func (r *report) scenario(ctx context.Context, n int, sc scenario, got string, failed error, spans tracetest.SpanStubs, t *tiers) error {
	r.line("\n%s", r.colour.bold(fmt.Sprintf("%d. %s", n, sc.title)))
	r.note(n, sc, spans, t)
	if r.trees {
		r.tree(n, spans)
	} else {
		r.traces(spans)
	}
	for _, e := range eventsOf(spans) {
		r.line("   %s", r.colour.alarm("! "+e))
	}

	if got == "" {
		got = "nil"
	}
	paint := r.colour.green
	if failed != nil {
		got, paint = failed.Error(), r.colour.red
	}
	r.wrapped("   got    ", got, paint)
	l1, l2, err := t.read(ctx, sc.key)
	if err != nil {
		return fmt.Errorf("comparing the tiers: %w", err)
	}
	verdict := r.colour.green("equal")
	if !l1.equal(l2) {
		verdict = r.colour.alarm("they differ")
	}
	r.line("   hold   L1: %-10v  L2: %-10v  %s", l1, l2, verdict)
	r.wrapped("   ", sc.happened, func(s string) string { return s })
	return nil
}

// unseen takes note of a scenario that only prepares another one.
func (r *report) unseen(n int, sc scenario, spans tracetest.SpanStubs, t *tiers) {
	r.note(n, sc, spans, t)
}

// note remembers the key of a scenario, its traces, and whether a difference was reported.
func (r *report) note(n int, sc scenario, spans tracetest.SpanStubs, t *tiers) {
	if !slices.Contains(r.keys, sc.key) {
		r.keys = append(r.keys, sc.key)
	}
	events := len(eventsOf(spans))
	r.events += events
	r.reported[sc.key], r.tiers[sc.key] = events > 0, t
	for _, s := range spans {
		r.began[s.SpanContext.TraceID()] = n
	}
}

// wrapped prints text after a heading, in several lines where the screen is too narrow.
func (r *report) wrapped(heading, text string, paint func(string) string) {
	for _, line := range wrap(text, r.width-len(heading)) {
		r.line("%s%s", heading, paint(line))
		heading = strings.Repeat(" ", len(heading))
	}
}

// wrap splits text between words into lines of at most a width. There is one line if the
// width is not positive.
func wrap(text string, width int) (lines []string) {
	for width > 0 && utf8.RuneCountInString(text) > width {
		at := strings.LastIndexByte(string([]rune(text)[:width+1]), ' ')
		if at <= 0 {
			break
		}
		lines, text = append(lines, text[:at]), text[at+1:]
	}
	return append(lines, text)
}

func (r *report) tree(n int, spans tracetest.SpanStubs) {
	for _, row := range treeOf(spans, func(id trace.TraceID) (scenario int, other bool) { return r.began[id], r.began[id] != n }) {
		line := fmt.Sprintf("   %-21s %s  %s %s", row.name, r.colour.dim(fmt.Sprintf("%8s", row.took)),
			r.outcome(fmt.Sprintf("%-21s", row.outcome)), r.notes(row.notes))
		r.line("%s", strings.TrimRight(line, " "))
	}
}

// outcome colours the words of outcomes, whatever is around them.
func (r *report) outcome(text string) string {
	c := r.colour
	return strings.NewReplacer("applied", c.green("applied"), "failed", c.red("failed"),
		"unknown", c.yellow("unknown"), "skipped", c.dim("skipped"), "hit", c.green("hit")).Replace(text)
}

func (r *report) notes(text string) string {
	if strings.Contains(text, "error") || strings.Contains(text, "false") {
		return r.colour.red(text)
	}
	return r.colour.dim(text)
}

func (r *report) traces(spans tracetest.SpanStubs) {
	for _, s := range spans {
		if !s.Parent.IsValid() {
			r.line("   trace  %s  %s", s.SpanContext.TraceID(), s.Name)
		}
	}
}

// summary compares both tiers at all keys with the reports of the last write. A
// difference that was not is an error.
func (r *report) summary(ctx context.Context, tel *telemetry, hooked int) error {
	var differ, silent []string
	for _, key := range r.keys {
		l1, l2, err := r.tiers[key].read(ctx, key)
		if err != nil {
			return fmt.Errorf("comparing the tiers: %w", err)
		}
		if l1.equal(l2) {
			continue
		}
		differ = append(differ, key)
		if !r.reported[key] {
			silent = append(silent, key)
		}
	}
	counted, err := tel.counted(ctx)
	if err != nil {
		return fmt.Errorf("reading the metrics: %w", err)
	}
	r.line("\n%s", r.colour.bold("Summary"))
	r.line("   %s reported: %s, %s,", plural(hooked, "inconsistency was", "inconsistencies were"),
		plural(r.events, "event on a span", "events on spans"), plural(tel.records.n.Load(), "log record", "log records"))
	r.line("   %d in the metric %s, %s of the hook.", counted, tracing.MetricInconsistencies, plural(hooked, "call", "calls"))
	r.line("   Keys that differ now: %d of %d%s. Unreported: %d.", len(differ), len(r.keys), list(differ), len(silent))
	switch {
	case r.width != 0:
		r.line("   Next: -all shows every scenario, -list the titles; -exporter otlp for Jaeger.")
	case r.trees:
		r.line("   Next: -exporter stdout for the raw spans, -exporter otlp for a collector or Jaeger.")
	}
	if len(silent) > 0 {
		return fmt.Errorf("keys that differ and were not reported%s", list(silent))
	}
	return nil
}

// plural returns a number and what it counts.
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func list(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return " (" + strings.Join(keys, ", ") + ")"
}

// sent says how much the collector has accepted, and where to look.
func (r *report) sent(c *collector) {
	if c.err() != nil {
		return // the program ends with it
	}
	var accepted, refused []string
	for _, t := range c.targets {
		if t.err() == nil {
			accepted = append(accepted, t.signal)
		} else {
			refused = append(refused, t.signal)
		}
	}
	at := c.targets[0].url
	text := strings.Join(accepted, ", ") + " accepted at " + at.Scheme + "://" + at.Host
	if len(refused) > 0 {
		text += ", " + strings.Join(refused, ", ") + " not (Jaeger takes only traces)"
	}
	r.line("\n%s", r.colour.bold("Where to look"))
	r.line("   %s", text)
	r.line("   In Jaeger: service %s, tag tiercache.consistent=false, usually at", c.service)
	query := url.Values{"service": {c.service}, "tags": {`{"tiercache.consistent":"false"}`}}
	r.line("   http://%s:16686/search?%s", at.Hostname(), query.Encode())
}
