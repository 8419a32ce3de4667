package tiercachetest

import (
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Node is a span and the spans below it.
type Node struct {
	Span     sdktrace.ReadOnlySpan
	Children []*Node
}

// Nodes arranges spans, of one trace or of several, as trees and returns the
// roots. A span whose parent is not among spans is a root. Siblings and roots
// are in the order of their starts; those that started at the same time keep
// the order that they have in spans, which is not changed.
func Nodes(spans []sdktrace.ReadOnlySpan) []*Node {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	nodes := make(map[spanID]*Node, len(spans))
	for _, s := range spans {
		nodes[idOf(s.SpanContext())] = &Node{Span: s}
	}
	var roots []*Node
	for _, s := range spans {
		node := nodes[idOf(s.SpanContext())]
		if parent := nodes[idOf(s.Parent())]; parent != nil {
			parent.Children = append(parent.Children, node)
		} else {
			roots = append(roots, node)
		}
	}
	return roots
}

// spanID names a span. The id of the span alone is unique only within its trace.
type spanID struct {
	trace trace.TraceID
	span  trace.SpanID
}

func idOf(c trace.SpanContext) spanID { return spanID{c.TraceID(), c.SpanID()} }
