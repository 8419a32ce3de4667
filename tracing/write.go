package tracing

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/writepolicy"
)

// Write is the telemetry of one write. It is part of the cache's operation, so
// that it costs no allocation of its own. Its methods are safe for concurrent
// use, except that StartWrite comes first and End last.
type Write struct {
	tel   *Telemetry
	site  *writeSite
	span  trace.Span // nil when it does not record
	start time.Time  // zero when it is not measured
	key   string     // as it may be shown
}

// StartWrite begins to observe a write and returns the context for all that
// belongs to it.
func (t *Telemetry) StartWrite(ctx context.Context, w *Write, op writepolicy.Op) context.Context {
	w.tel, w.site = t, &t.writes[op.Kind-writepolicy.Set]
	if t.key != nil {
		w.key = t.key(op.Key)
	}
	if !t.Enabled() {
		return ctx
	}
	if t.meters != nil && t.meters.operations.Enabled(ctx) {
		w.start = time.Now()
	}
	if t.tracer == nil {
		return ctx
	}
	opts := w.site.start
	if t.key != nil {
		opts = append(slices.Clip(opts), trace.WithAttributes(AttrKey.String(w.key)))
	}
	ctx, span := t.tracer.Start(ctx, w.site.name, opts...) //nolint:spancheck // ended by End
	if span.IsRecording() {
		w.span = span
	}
	return ctx
}

// Answered says that the write has an answer: the outcomes of the tiers, or
// [InFlight], whether the tiers cannot differ, and the error that is returned.
func (w *Write) Answered(ctx context.Context, l1, l2 writepolicy.Outcome, consistent bool, err error) {
	if !w.start.IsZero() {
		w.site.durations.record(ctx, w.tel.meters.operations, w.start, err)
	}
	if w.span == nil {
		return
	}
	w.span.SetAttributes(w.tel.ends[l1][l2][btoi(consistent)]...)
	if err != nil {
		fail(w.span, err)
	}
}

// End ends the span. Calls of tiers that go on still belong to it.
func (w *Write) End() {
	if w.span != nil {
		w.span.End()
	}
}

// Reset lets go of the span.
func (w *Write) Reset() { *w = Write{} }

// Detached adds n to the number of writes that go on after the answer.
func (w *Write) Detached(ctx context.Context, n int) {
	if m := w.tel.meters; m != nil {
		m.detached.Add(ctx, int64(n), m.ofCache...)
	}
}

// fail marks the span of what failed with err.
func fail(span trace.Span, err error) {
	span.SetStatus(codes.Error, err.Error())
	span.SetAttributes(semconv.ErrorType(err))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
