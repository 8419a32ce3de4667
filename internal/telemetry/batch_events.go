package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tracing"
)

// maxBatchEvents is the number of inconsistency events that a span of many keys can have.
// SDKs drop events beyond 128 without a word, so the span has their number too. Log
// records, the counter and the hook have each of them.
const maxBatchEvents = 16

// keyEvents are the inconsistency events of many keys.
type keyEvents struct {
	count int
	apart bool // one of them is not resolved
}

// add counts an event. It reports whether there is room for it on the span.
func (e *keyEvents) add(resolved bool) (room bool) {
	e.count++
	e.apart = e.apart || !resolved
	return e.count <= maxBatchEvents
}

// shared is what the keys of a batch share in one call of a tier. The span of the call
// ends when the last of them has ended, so that each can put its event on it.
type shared struct {
	mu   sync.Mutex
	open int // keys that have not ended
	of   keyEvents
}

// Share makes c the call of n keys, each of which ends it once.
func (c *TierCall) Share(n int) { c.shared = &shared{open: n} }

// last takes one key off and reports whether it was the last. S may be nil.
func (s *shared) last() bool {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	return s.open == 0
}

// inconsistent puts the event of one key on the span of the batch, or on that of late, the
// call that ended last, if the batch has returned before. Both are done with a mutex, or
// the span could end in between.
func (b *Batch) inconsistent(ctx context.Context, late *TierCall, now time.Time, resolved bool, attrs attributes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended && late != nil {
		late.inconsistent(ctx, now, resolved, attrs)
		return
	}
	b.tel.addTo(b.span, b.of.add(resolved), now, attrs)
}

// inconsistent puts the event of one of several keys on the span of their call.
func (c *TierCall) inconsistent(ctx context.Context, now time.Time, resolved bool, attrs attributes) {
	s := c.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	c.makeSpan(ctx)
	room := s.of.add(resolved)
	if c.span == nil {
		return
	}
	setAttributes(c.span, tracing.AttrConsistent.Bool(!s.of.apart), tracing.AttrBatchInconsistencies.Int(s.of.count))
	c.op.tel.addTo(c.span, room, now, attrs)
}

// addTo adds the event to a span of many keys, which may be nil.
func (t *Telemetry) addTo(span trace.Span, room bool, now time.Time, attrs attributes) {
	if span != nil && room && t.events {
		addEvent(span, tracing.EventInconsistency, now, attrs)
	}
}
