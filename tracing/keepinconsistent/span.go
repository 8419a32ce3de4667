package keepinconsistent

import (
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tracing"
)

// sampledSpan is a span whose context says that it is sampled. Exporters and the
// processors in front of them skip others.
type sampledSpan struct{ sdktrace.ReadOnlySpan }

// SpanContext implements [sdktrace.ReadOnlySpan].
func (s sampledSpan) SpanContext() trace.SpanContext {
	sc := s.ReadOnlySpan.SpanContext()
	return sc.WithTraceFlags(sc.TraceFlags().WithSampled(true))
}

// isHeld reports whether a span is one of a cache that only this package records.
func isHeld(s sdktrace.ReadOnlySpan) bool {
	return !s.SpanContext().IsSampled() && s.InstrumentationScope().Name == tracing.ScopeName
}

// facts is what the attributes and events of a span that has ended say.
type facts struct {
	inconsistent bool
	tier         bool // it is the span of a call of a tier
	inFlight     int  // of a write: its calls of tiers that go on
}

func factsOf(s sdktrace.ReadOnlySpan) (f facts) {
	write, outcomes := false, 0
	for _, a := range s.Attributes() {
		switch a.Key {
		case tracing.AttrConsistent:
			f.inconsistent = f.inconsistent || !a.Value.AsBool()
		case tracing.AttrTier:
			f.tier = true
		case tracing.AttrOperation:
			write = a.Value.AsString() == "set" || a.Value.AsString() == "delete"
		case tracing.AttrL1Outcome, tracing.AttrL2Outcome:
			outcomes++
		}
	}
	for _, e := range s.Events() {
		f.inconsistent = f.inconsistent || e.Name == tracing.EventInconsistency
	}
	if write && !f.tier {
		f.inFlight = 2 - outcomes
	}
	return f
}

// Estimates, in bytes.
const (
	sizeOfSpan      = 512
	sizeOfEvent     = 64
	sizeOfAttribute = 56
)

func sizeOf(s sdktrace.ReadOnlySpan) int64 {
	n := sizeOfSpan + len(s.Name()) + len(s.Status().Description) + sizeOfAttributes(s.Attributes())
	for _, e := range s.Events() {
		n += sizeOfEvent + len(e.Name) + sizeOfAttributes(e.Attributes)
	}
	for _, l := range s.Links() {
		n += sizeOfEvent + sizeOfAttributes(l.Attributes)
	}
	return int64(n)
}

func sizeOfAttributes(attrs []attribute.KeyValue) (n int) {
	for _, a := range attrs {
		n += sizeOfAttribute
		if a.Value.Type() == attribute.STRING {
			n += len(a.Value.AsString())
		}
	}
	return n
}
