package tracing

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/writepolicy"
)

// Write is the telemetry of one write. It is part of the cache's operation, so
// that it costs no allocation of its own. Its methods are safe for concurrent
// use, except that StartWrite comes first and End last.
type Write struct{ operation }

// StartWrite begins to observe a write and returns the context for all that
// belongs to it. The zero Write is ready.
func (t *Telemetry) StartWrite(ctx context.Context, w *Write, op writepolicy.Op) context.Context {
	return w.begin(ctx, t, &t.writes[op.Kind-writepolicy.Set], op.Key)
}

// Answered says that the write has an answer: the outcomes of the tiers, or
// [InFlight], whether the tiers cannot differ, and the error that is returned.
func (w *Write) Answered(ctx context.Context, l1, l2 writepolicy.Outcome, consistent bool, err error) {
	w.measure(ctx, err)
	if w.span == nil {
		return
	}
	w.span.SetAttributes(w.tel.ends[l1][l2][btoi(consistent)]...)
	if err != nil {
		fail(w.span, err)
	}
}

// Waited says that the write has waited for other writers of its key.
func (w *Write) Waited(d time.Duration) {
	if w.span != nil {
		w.span.SetAttributes(AttrTurnWait.Float64(d.Seconds()))
	}
}

// Detached adds n to the number of writes that go on after the answer.
func (w *Write) Detached(ctx context.Context, n int) {
	if m := w.tel.meters; m != nil {
		m.detached.Add(ctx, int64(n), m.ofCache...)
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
