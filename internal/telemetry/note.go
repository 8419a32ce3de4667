package telemetry

import "go.opentelemetry.io/otel/trace"

// noteSize is the size of a trace context in [backends.Write.Note]: the ids of the trace
// and of the span, and the flags. A trace state does not fit, so a receiver links to the
// span and makes no child of it: a child would lose its sampling threshold.
const noteSize = 16 + 8 + 1

// Note returns the note of a write whose span is sampled, and nil for any other.
func Note(sc trace.SpanContext) []byte {
	if !sc.IsValid() || !sc.IsSampled() {
		return nil
	}
	traceID, spanID := sc.TraceID(), sc.SpanID()
	note := make([]byte, 0, noteSize)
	note = append(note, traceID[:]...)
	note = append(note, spanID[:]...)
	return append(note, byte(sc.TraceFlags()))
}

// ReadNote returns the span that a note names; it is invalid if the note names none.
func ReadNote(note []byte) trace.SpanContext {
	if len(note) != noteSize {
		return trace.SpanContext{}
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(note[:16]), SpanID: trace.SpanID(note[16:24]),
		TraceFlags: trace.TraceFlags(note[24]), Remote: true,
	})
}
