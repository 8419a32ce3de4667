package tracing

import (
	"log/slog"

	"go.opentelemetry.io/otel/log"
	lognoop "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache/internal/telemetry/settings"
)

// Option configures the telemetry of a cache. Only this package makes options.
type Option interface {
	// Apply returns the settings with the option's choice in them.
	Apply(s settings.Settings) settings.Settings
}

type optionFunc func(settings.Settings) settings.Settings

func (f optionFunc) Apply(s settings.Settings) settings.Settings { return f(s) }

// WithTracerProvider sets the provider of spans. Default, and for nil: the global
// provider.
func WithTracerProvider(tp trace.TracerProvider) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.TracerProvider = tp
		return s
	})
}

// WithMeterProvider sets the provider of metrics. Default, and for nil: the global
// provider.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.MeterProvider = mp
		return s
	})
}

// WithLoggerProvider sets the provider of log records. Default, and for nil: the
// global provider.
func WithLoggerProvider(lp log.LoggerProvider) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.LoggerProvider = lp
		return s
	})
}

// WithSlog also writes inconsistencies to a slog logger, at level ERROR, or WARN
// when they were resolved. Default, and for nil: none.
func WithSlog(logger *slog.Logger) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.Slog = logger
		return s
	})
}

// Signals are the signals of OpenTelemetry that carry the inconsistency event.
type Signals = settings.Signals

// The signals. They can be combined.
const (
	SpanEvents = settings.SpanEvents
	LogRecords = settings.LogRecords
)

// WithSignals chooses the signals that carry the inconsistency event. Default:
// SpanEvents | LogRecords. The counter, the slog logger and the hook of the
// cache do not depend on it.
func WithSignals(signals Signals) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.Signals = signals
		return s
	})
}

// WithLogLimit limits how many inconsistencies per second become log records, or lines of slog. One
// summary tells how many more there were. Without [LogRecords] and [WithSlog] it limits nothing. The
// span events, the counter and the hook of the cache stay complete. Default, and for 0 or less: no
// limit.
func WithLogLimit(perSecond int) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.LogLimit = perSecond
		return s
	})
}

// TierSpans decides which calls of tiers have spans of their own.
type TierSpans = settings.TierSpans

// The choices of [WithTierSpans].
const (
	// TierSpansAll gives every call of a tier a span. A Set has three spans, and four
	// where the client of L2 is instrumented.
	TierSpansAll = settings.TierSpansAll

	// TierSpansL2 gives spans to the calls of L2, unless its client is instrumented:
	// then the client's span is enough. A Set has two spans.
	TierSpansL2 = settings.TierSpansL2

	// TierSpansFailures gives spans only to calls that fail. A Set that succeeds has one span.
	TierSpansFailures = settings.TierSpansFailures
)

// WithTierSpans decides which calls of tiers have spans of their own. A call without
// one adds its duration to the span of the operation, in the attributes
// tiercache.l1.duration and tiercache.l2.duration. A call that fails always has a span,
// which is made when it has failed; spans that an instrumented client made during that
// call are then children of the operation's span. Metrics and events do not depend on
// it. Default: [TierSpansAll].
func WithTierSpans(t TierSpans) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.TierSpans = t
		return s
	})
}

// ProcessSpans decides how a span process {cache}, of copies that L1 drops because other
// processes have replaced them, leads to the spans of their writes.
type ProcessSpans = settings.ProcessSpans

// The choices of [WithProcessSpans].
const (
	// ProcessLinks makes one root span for a batch of changes, with links to the spans of
	// the writes.
	ProcessLinks = settings.ProcessLinks

	// ProcessChildren makes one span for each span of a write, as its child, so that the
	// trace of a write shows who has dropped a copy. Changes whose write was not sampled
	// share a root span.
	//
	// The child is in the writer's trace, and the sampler of this process decides on it by
	// the flags of its parent; a trace state does not travel with a change. So a sampling
	// threshold in it is lost: use it with samplers that follow the parent's flag.
	ProcessChildren = settings.ProcessChildren
)

// WithProcessSpans decides how spans process {cache} lead to the writes. A cache has such spans
// with tiercache.WithCoherence alone; the option has no effect on others. At most 20 of them
// are made in a second under each choice; metrics do not depend on it. Default:
// [ProcessLinks].
func WithProcessSpans(p ProcessSpans) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.ProcessSpans = p
		return s
	})
}

// WithKey shows keys on spans and events, in the form that format returns: the key
// itself, a hash of it, or a part without secrets. The cache calls it once for each
// operation, in the caller's goroutine; it must be safe for concurrent use. When it
// panics, the operation is shown without a key. Default, and for nil: keys are shown
// nowhere.
func WithKey(format func(key string) string) Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		s.Key = format
		return s
	})
}

// Disabled turns off every signal whose provider no earlier option has chosen, so
// that the global providers are not used.
func Disabled() Option {
	return optionFunc(func(s settings.Settings) settings.Settings {
		if s.TracerProvider == nil {
			s.TracerProvider = tracenoop.NewTracerProvider()
		}
		if s.MeterProvider == nil {
			s.MeterProvider = metricnoop.NewMeterProvider()
		}
		if s.LoggerProvider == nil {
			s.LoggerProvider = lognoop.NewLoggerProvider()
		}
		return s
	})
}
