package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache/tracing"
)

// report prints the output of the program.
type report struct {
	out    io.Writer
	colour palette
	trees  bool // else only the ids of the traces

	events   int             // on spans
	keys     []string        // in the order of their first scenario
	reported map[string]bool // by key: there was an event in its last scenario
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

func (r *report) intro() {
	r.line("%s", r.colour.bold("tiercache: two cache tiers as one, and no divergence between them is silent."))
	r.line("Here L1 is otter, in this process, and L2 is badger, in a temporary folder. Writes")
	r.line("and reads go to L1, then to L2, and a fault kit for tests makes the tiers fail. A block")
	r.line("shows the trace of a request, what its caller got, and what the tiers hold afterwards.")
}

// scenario prints one block.
func (r *report) scenario(ctx context.Context, n int, sc scenario, got string, failed error, spans tracetest.SpanStubs, t *tiers) error {
	r.line("\n%s", r.colour.bold(fmt.Sprintf("%d. %s", n, sc.title)))
	if r.trees {
		r.tree(spans)
	} else {
		r.traces(spans)
	}
	events := eventsOf(spans)
	for _, e := range events {
		r.line("   %s", r.colour.alarm("! "+e))
	}
	r.events += len(events)

	if got == "" {
		got = "nil"
	}
	got = r.colour.green(got)
	if failed != nil {
		got = r.colour.red(failed.Error())
	}
	r.line("   got    %s", got)
	l1, l2, err := t.read(ctx, sc.key)
	if err != nil {
		return fmt.Errorf("comparing the tiers: %w", err)
	}
	verdict := r.colour.green("equal")
	if !l1.equal(l2) {
		verdict = r.colour.alarm("they differ")
	}
	r.line("   hold   L1: %-10v  L2: %-10v  %s", l1, l2, verdict)
	r.line("   %s", sc.happened)
	if !slices.Contains(r.keys, sc.key) {
		r.keys = append(r.keys, sc.key)
	}
	r.reported[sc.key] = len(events) > 0
	return nil
}

func (r *report) tree(spans tracetest.SpanStubs) {
	for _, row := range treeOf(spans) {
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
func (r *report) summary(ctx context.Context, tel *telemetry, s *service) error {
	var differ, silent []string
	for _, key := range r.keys {
		l1, l2, err := s.tiers.read(ctx, key)
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
	hooked := len(s.inconsistencies())
	r.line("\n%s", r.colour.bold("Summary"))
	r.line("   %d inconsistencies were reported: %d events on spans, %d log records,", hooked, r.events, tel.records.n.Load())
	r.line("   %d in the metric %s, %d calls of the hook.", counted, tracing.MetricInconsistencies, hooked)
	r.line("   Keys that differ now: %d of %d%s. Unreported: %d.", len(differ), len(r.keys), list(differ), len(silent))
	if r.trees {
		r.line("   Next: -exporter stdout for the raw spans, -exporter otlp for a collector or Jaeger.")
	}
	if len(silent) > 0 {
		return fmt.Errorf("keys that differ and were not reported%s", list(silent))
	}
	return nil
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
