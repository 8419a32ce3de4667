package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/tracing"
)

// Bounds of spans: the SDK drops the links of a span beyond 128, and a flood of changes
// must not become one of spans.
const (
	maxLinks       = 128
	spansPerSecond = 20
)

// Processed implements [coherence.Observer].
func (c *Coherence) Processed(b *coherence.Batch) {
	c.meter.processed(b)
	switch {
	case c.tel.tracer == nil:
	case c.child:
		c.showChildren(b)
	default:
		c.showLinked(b)
	}
}

// showLinked makes one span for all copies that were dropped. Its links are there from the
// start, because samplers do not see later ones.
func (c *Coherence) showLinked(b *coherence.Batch) {
	dropped, links := 0, []trace.Link(nil)
	for i := range b.Changes {
		if !b.Dropped(i) {
			continue
		}
		dropped++
		if sc := ReadNote(b.Changes[i].Note); sc.IsValid() && len(links) < maxLinks {
			links = append(links, trace.Link{SpanContext: sc})
		}
	}
	if dropped > 0 {
		c.show(b, trace.SpanContext{}, dropped, trace.WithLinks(links...))
	}
}

// showChildren makes one span for each span of a write, and one for all changes that have
// none, in the order of the changes.
func (c *Coherence) showChildren(b *coherence.Batch) {
	var parents []trace.SpanContext
	dropped := map[trace.SpanID]int{}
	for i := range b.Changes {
		if !b.Dropped(i) {
			continue
		}
		parent := ReadNote(b.Changes[i].Note)
		if dropped[parent.SpanID()] == 0 {
			parents = append(parents, parent)
		}
		dropped[parent.SpanID()]++
	}
	for _, parent := range parents {
		c.show(b, parent, dropped[parent.SpanID()])
	}
}

// show makes a span, which is a root if the parent is invalid.
func (c *Coherence) show(b *coherence.Batch, parent trace.SpanContext, dropped int, opts ...trace.SpanStartOption) {
	if !c.spans.pass(b.Began, spansPerSecond) {
		return
	}
	ctx := context.Background()
	if parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	opts = append(opts, trace.WithTimestamp(b.Began), trace.WithAttributes(tracing.AttrDropped.Int(dropped)))
	if _, span := startSpan(ctx, c.tel.tracer, c.name, append(slices.Clip(c.start), opts...)); span != nil {
		endSpan(span)
	}
}
