package tracing

import (
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	lognoop "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// Option configures the telemetry of a cache.
type Option interface{ apply(config) config }

type config struct {
	tracerProvider trace.TracerProvider
	meterProvider  metric.MeterProvider
	loggerProvider log.LoggerProvider
	slog           *slog.Logger
	signals        Signals
	key            func(key string) string
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

func newConfig(opts []Option) config {
	c := config{signals: SpanEvents | LogRecords}
	for _, o := range opts {
		if o != nil {
			c = o.apply(c)
		}
	}
	if c.tracerProvider == nil {
		c.tracerProvider = otel.GetTracerProvider()
	}
	if c.meterProvider == nil {
		c.meterProvider = otel.GetMeterProvider()
	}
	if c.loggerProvider == nil {
		c.loggerProvider = otel.GetLoggerProvider()
	}
	return c
}

// WithTracerProvider sets where spans go. Default, and for nil: the global
// provider.
func WithTracerProvider(tp trace.TracerProvider) Option {
	return optionFunc(func(c config) config {
		c.tracerProvider = tp
		return c
	})
}

// WithMeterProvider sets where metrics go. Default, and for nil: the global
// provider.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return optionFunc(func(c config) config {
		c.meterProvider = mp
		return c
	})
}

// WithLoggerProvider sets where log records go. Default, and for nil: the global
// provider.
func WithLoggerProvider(lp log.LoggerProvider) Option {
	return optionFunc(func(c config) config {
		c.loggerProvider = lp
		return c
	})
}

// WithSlog makes inconsistencies known to a slog logger too, at the levels
// ERROR, or WARN when they were resolved. Default, and for nil: none.
func WithSlog(logger *slog.Logger) Option {
	return optionFunc(func(c config) config {
		c.slog = logger
		return c
	})
}

// Signals are the signals of OpenTelemetry that carry the inconsistency event.
type Signals uint8

// The signals. They can be combined.
const (
	SpanEvents Signals = 1 << iota
	LogRecords
)

// WithSignals chooses the signals that carry the inconsistency event. Default:
// SpanEvents | LogRecords. The counter, the slog logger and the hook of the
// cache do not depend on it.
func WithSignals(s Signals) Option {
	return optionFunc(func(c config) config {
		c.signals = s
		return c
	})
}

// WithKey puts keys on spans and events, in the form that format returns: the
// key itself, a hash of it, or a part that tells no secret. It is called once
// for each operation, in the caller's goroutine, and must be safe for concurrent
// use. Default, and for nil: keys appear nowhere.
func WithKey(format func(key string) string) Option {
	return optionFunc(func(c config) config {
		c.key = format
		return c
	})
}

// Disabled turns everything off that options before it have not chosen, so that
// the global providers are not used.
func Disabled() Option {
	return optionFunc(func(c config) config {
		if c.tracerProvider == nil {
			c.tracerProvider = tracenoop.NewTracerProvider()
		}
		if c.meterProvider == nil {
			c.meterProvider = metricnoop.NewMeterProvider()
		}
		if c.loggerProvider == nil {
			c.loggerProvider = lognoop.NewLoggerProvider()
		}
		return c
	})
}
