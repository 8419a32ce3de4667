package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Write is the telemetry of one write. Its methods are safe for concurrent use,
// except that StartWrite comes first and End last.
type Write struct {
	operation
	batch *Batch // that the write is part of; nil: none
}

// StartWrite begins to observe a write and returns the context for all that
// belongs to it. The zero Write is ready.
func (t *Telemetry) StartWrite(ctx context.Context, w *Write, kind tier.Kind, key string) context.Context {
	return w.begin(ctx, t, kind, key)
}

// Returned notes that the write returns to its caller: the outcomes of the tiers,
// or [InFlight], whether the tiers cannot differ, and the error.
func (w *Write) Returned(ctx context.Context, l1, l2 tier.Outcome, consistent bool, err error) {
	if w.span != nil {
		defer w.describeEnd(l1, l2, consistent, err) // even if measuring ends the goroutine
	}
	w.measure(ctx, err)
}

func (w *Write) describeEnd(l1, l2 tier.Outcome, consistent bool, err error) {
	setAttributes(w.span, w.tel.writeEnds[l1][l2][btoi(consistent)]...)
	w.setDurations()
	if err != nil {
		fail(w.span, err)
	}
}

// SpanContext is that of the write, for those who read what it has written.
func (w *Write) SpanContext() trace.SpanContext {
	if w.span == nil {
		return trace.SpanContext{}
	}
	return spanContext(w.span)
}

// Settled notes the outcomes of calls that were in flight when the write returned, and
// have ended before the span has.
func (w *Write) Settled(l1, l2 tier.Outcome, consistent bool) {
	if w.span != nil {
		setAttributes(w.span, w.tel.writeEnds[l1][l2][btoi(consistent)]...)
	}
}

// Waited notes that the write has waited for the lock of its key.
func (w *Write) Waited(ctx context.Context, d time.Duration) {
	if m := w.tel.meters; m != nil {
		m.recordSeconds(ctx, m.lockWait, d)
	}
	if w.span != nil {
		setAttributes(w.span, tracing.AttrLockWait.Float64(d.Seconds()))
	}
}

// Detached adds n to the number of writes that go on after their operation has
// returned.
func (t *Telemetry) Detached(n int) {
	if m := t.meters; m != nil {
		m.detached.Add(int64(n))
	}
}

// Reset makes w ready to be used again.
func (w *Write) Reset() { *w = Write{} }

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
