// Package settings holds the choices that the options of package tracing make for
// the telemetry of a cache. It stands between the two, so that users see options
// and no machinery.
package settings

import (
	"log/slog"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Signals are the signals of OpenTelemetry that carry the inconsistency event.
type Signals uint8

// The signals. They can be combined.
const (
	SpanEvents Signals = 1 << iota
	LogRecords
)

// TierSpans decides which calls of tiers have spans of their own.
type TierSpans uint8

// The choices. A call that fails has a span under each of them.
const (
	TierSpansAll TierSpans = iota
	TierSpansL2
	TierSpansFailures
)

// ProcessSpans decides how the span of copies that L1 drops leads to the writes of other
// processes.
type ProcessSpans uint8

// The choices.
const (
	ProcessLinks ProcessSpans = iota
	ProcessChildren
)

// Settings are the choices. A nil provider stands for the global one.
type Settings struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	LoggerProvider log.LoggerProvider
	Slog           *slog.Logger // nil: none
	Signals        Signals
	LogLimit       int // inconsistencies per second in the logs; 0: no limit
	TierSpans      TierSpans
	ProcessSpans   ProcessSpans
	Key            func(key string) string // the form in which keys are shown; nil: they are not
}
