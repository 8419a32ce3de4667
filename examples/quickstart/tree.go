package main

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// row is one span as a line of the tree.
type row struct {
	name    string // with the branches of the tree before it
	took    string
	outcome string // of both tiers for a write, of one for a call of a tier; of a read, its result
	notes   string
}

// treeOf returns the rows of all traces among spans, the earliest first. It asks for the
// scenario in which a trace began that a span links to, and whether it is another one.
func treeOf(spans tracetest.SpanStubs, began func(id trace.TraceID) (scenario int, other bool)) []row {
	roots := tiercachetest.Nodes(spans.Snapshots())
	requests := make(map[trace.TraceID]int) // numbered from 1
	for i, root := range roots {
		requests[root.Span.SpanContext().TraceID()] = i + 1
	}
	var rows []row
	var grow func(n *tiercachetest.Node, branch, indent string)
	grow = func(n *tiercachetest.Node, branch, indent string) {
		r := rowOf(n.Span, branch)
		for _, link := range n.Span.Links() {
			id := link.SpanContext.TraceID()
			if n, other := began(id); other {
				r.notes += fmt.Sprintf("linked to scenario %d", n)
			} else {
				r.notes += fmt.Sprintf("linked to request %d", requests[id])
			}
		}
		rows = append(rows, r)
		for i, child := range n.Children {
			if i < len(n.Children)-1 {
				grow(child, indent+"├─ ", indent+"│  ")
			} else {
				grow(child, indent+"└─ ", indent+"   ")
			}
		}
	}
	for _, root := range roots {
		grow(root, "", "")
	}
	return rows
}

func rowOf(s sdktrace.ReadOnlySpan, branch string) row {
	attrs := attribute.NewSet(s.Attributes()...)
	r := row{name: branch + s.Name(), took: took(s.EndTime().Sub(s.StartTime()))}
	failed := s.Status().Code == codes.Error
	if l1, ok := attrs.Value(tracing.AttrL1Outcome); ok { // a write
		l2, _ := attrs.Value(tracing.AttrL2Outcome)
		r.outcome = "l1=" + l1.AsString() + " l2=" + l2.AsString()
		r.notes = note(attrs, tracing.AttrConsistent)
		if failed {
			r.notes += " error"
		}
	} else if resolution, ok := attrs.Value(tracing.AttrResolution); ok { // a repair
		r.outcome = resolution.AsString()
	} else if result, ok := attrs.Value(tracing.AttrReadResult); ok { // a read
		r.outcome = result.AsString()
		r.notes = notes(attrs, tracing.AttrRefill, semconv.ErrorTypeKey)
	} else if found, ok := attrs.Value(tracing.AttrLookupResult); ok { // a tier that was asked
		r.outcome = found.AsString()
		r.notes = notes(attrs, semconv.ErrorTypeKey)
	} else if outcome, ok := attrs.Value(tracing.AttrOutcome); ok { // a call of a tier
		r.outcome = outcome.AsString()
		r.notes = notes(attrs, semconv.ErrorTypeKey)
	} else if failed { // the caller's
		r.notes = "error: " + s.Status().Description
	}
	return r
}

// eventsOf returns the inconsistency events of spans, each in one line.
func eventsOf(spans tracetest.SpanStubs) []string {
	var lines []string
	for _, s := range spans {
		for _, e := range s.Events {
			if e.Name != tracing.EventInconsistency {
				continue
			}
			attrs := attribute.NewSet(e.Attributes...)
			lines = append(lines, e.Name+" "+note(attrs, tracing.AttrStaleTier)+" "+
				note(attrs, tracing.AttrCompensation)+" "+note(attrs, tracing.AttrResolved))
		}
	}
	return lines
}

// notes returns those that there are.
func notes(attrs attribute.Set, keys ...attribute.Key) string {
	var all []string
	for _, key := range keys {
		if attrs.HasValue(key) {
			all = append(all, note(attrs, key))
		}
	}
	return strings.Join(all, " ")
}

// note returns name=value, the name without the library's prefix.
func note(attrs attribute.Set, key attribute.Key) string {
	value, _ := attrs.Value(key)
	name := strings.TrimPrefix(string(key), "tiercache.")
	name = strings.TrimPrefix(name, "inconsistency.")
	return strings.TrimSuffix(name, ".outcome") + "=" + value.String()
}

// took rounds a duration to readable digits.
func took(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return d.Round(100 * time.Nanosecond).String()
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < 100*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
