package keepinconsistent

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const shards = 16

// Processor gives the next processor all spans that are sampled, and of the spans that
// [Sampler] has made record those of inconsistent operations.
//
// It starts no goroutine. It is safe for concurrent use.
type Processor struct {
	next   sdktrace.SpanProcessor
	config config
	shards [shards]shard
	closed atomic.Bool

	spans, bytes, kept, lost atomic.Int64
}

var _ sdktrace.SpanProcessor = (*Processor)(nil)

// NewProcessor returns a processor in front of next, which usually is a
// [sdktrace.NewBatchSpanProcessor]. It owns next: give the provider the processor that
// is returned, and not next, which it flushes and shuts down.
//
// The spans that next gets from it at their end are snapshots which say that they are
// sampled. What next gets at the start of a span is the span itself. A nil next drops
// every span.
func NewProcessor(next sdktrace.SpanProcessor, opts ...Option) *Processor {
	if next == nil {
		next = discard{}
	}
	return &Processor{next: next, config: newConfig(opts)}
}

// OnStart implements [sdktrace.SpanProcessor].
func (p *Processor) OnStart(parent context.Context, s sdktrace.ReadWriteSpan) {
	p.next.OnStart(parent, s)
	if !isHeld(s) || p.closed.Load() {
		return
	}
	sc := s.SpanContext()
	sh := p.shard(sc)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p.expire(sh, s.StartTime())
	if p.spans.Add(1) > p.config.maxSpans {
		p.spans.Add(-1)
		p.lost.Add(1)
		return
	}
	o := sh.operations[s.Parent().SpanID()]
	if o == nil {
		o = sh.begin(sc.SpanID(), s.StartTime())
	}
	sh.join(o, sc.SpanID())
}

// OnEnd implements [sdktrace.SpanProcessor].
func (p *Processor) OnEnd(s sdktrace.ReadOnlySpan) {
	if !isHeld(s) {
		p.next.OnEnd(s)
		return
	}
	kept := p.ended(s)
	p.kept.Add(int64(len(kept)))
	for _, k := range kept {
		p.next.OnEnd(sampledSpan{k})
	}
}

// ended returns the spans that are to be kept, now that s has ended.
func (p *Processor) ended(s sdktrace.ReadOnlySpan) (kept []sdktrace.ReadOnlySpan) {
	f := factsOf(s)
	sc := s.SpanContext()
	sh := p.shard(sc)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p.expire(sh, s.EndTime())
	o := sh.operations[sc.SpanID()]
	if o == nil { // it was beyond a limit
		if f.inconsistent {
			return []sdktrace.ReadOnlySpan{s}
		}
		return nil
	}
	o.ended(sc.SpanID(), s.Parent().SpanID(), f)
	switch {
	case o.keep:
		kept = append(slices.Clip(o.held), s)
		p.empty(o)
	case o.isOver(): // and is dropped
	default:
		p.hold(o, s)
	}
	if o.isOver() {
		p.forget(sh, o)
	}
	return kept
}

// hold keeps a span for later, unless there is no room for it.
func (p *Processor) hold(o *operation, s sdktrace.ReadOnlySpan) {
	n := sizeOf(s)
	if p.bytes.Add(n) > p.config.maxBytes {
		p.bytes.Add(-n)
		p.lost.Add(1)
		return
	}
	o.bytes += n
	o.held = append(o.held, s)
}

// empty lets go of the spans that an operation holds.
func (p *Processor) empty(o *operation) {
	p.bytes.Add(-o.bytes)
	o.held, o.bytes = nil, 0
}

func (p *Processor) forget(sh *shard, o *operation) {
	p.empty(o)
	p.spans.Add(-int64(len(o.members)))
	sh.forget(o)
}

// expire drops operations that are too old. The time is that of the caller's span, so
// it costs no look at the clock.
func (p *Processor) expire(sh *shard, now time.Time) {
	for o := sh.oldest; o != nil && now.Sub(o.since) > p.config.maxAge; o = sh.oldest {
		p.lost.Add(int64(len(o.held) + o.open))
		p.forget(sh, o)
	}
}

func (p *Processor) shard(sc trace.SpanContext) *shard {
	id := sc.TraceID()
	return &p.shards[id[len(id)-1]%shards]
}

// Shutdown drops the spans of operations that are not over, because nobody will know
// how they end, and shuts the next processor down, which exports what was kept. Close the
// caches before, so that no operation is left.
func (p *Processor) Shutdown(ctx context.Context) error {
	p.closed.Store(true)
	for i := range p.shards {
		sh := &p.shards[i]
		sh.mu.Lock()
		for o := sh.oldest; o != nil; o = sh.oldest {
			p.lost.Add(int64(len(o.held) + o.open))
			p.forget(sh, o)
		}
		sh.mu.Unlock()
	}
	return p.next.Shutdown(ctx)
}

// ForceFlush exports what was kept. Operations that are not over go on waiting.
func (p *Processor) ForceFlush(ctx context.Context) error { return p.next.ForceFlush(ctx) }

// Stats are counts of spans.
type Stats struct {
	Followed int64 // have started, or wait for the end of their operation
	Bytes    int64 // the size of those that wait
	Kept     int64 // were given to the next processor, since the start
	Lost     int64 // were beyond a limit, since the start; only some would have been kept
}

// Stats returns the counts as they are now.
func (p *Processor) Stats() Stats {
	return Stats{Followed: p.spans.Load(), Bytes: p.bytes.Load(), Kept: p.kept.Load(), Lost: p.lost.Load()}
}

// discard is no processor.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }
