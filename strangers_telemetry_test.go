package tiercache_test

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
)

// telemetryOptions put somebody else's code into every part of OpenTelemetry's SDK
// that an operation runs in its own goroutine.
func (s *scenario) telemetryOptions() []tiercache.Option {
	if !s.telemetry {
		return []tiercache.Option{tiercache.WithTelemetry(tracing.Disabled())}
	}
	s.tp = sdktrace.NewTracerProvider(
		sdktrace.WithSampler(strangeSampler{sdktrace.AlwaysSample(), s}),
		sdktrace.WithSpanProcessor(s.spans), // first, so that it has seen what ends
		sdktrace.WithSpanProcessor(strangeSpans{s}))
	s.reader = sdkmetric.NewManualReader()
	metrics := []sdkmetric.Option{sdkmetric.WithReader(s.reader)}
	switch s.actor.place {
	case "exemplar filter":
		metrics = append(metrics, sdkmetric.WithExemplarFilter(func(ctx context.Context) bool {
			_ = s.at(ctx, "exemplar filter")
			return false
		}))
	case "metric view":
		metrics = append(metrics, sdkmetric.WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "*"}, sdkmetric.Stream{
			AttributeFilter: func(attribute.KeyValue) bool {
				_ = s.at(nil, "metric view") //nolint:staticcheck // it has no context
				return true
			},
		})))
	}
	s.mp = sdkmetric.NewMeterProvider(metrics...)
	return []tiercache.Option{tiercache.WithTelemetry(
		tracing.WithTracerProvider(s.tp),
		tracing.WithMeterProvider(s.mp),
		tracing.WithLoggerProvider(sdklog.NewLoggerProvider(
			sdklog.WithProcessor(strangeLogs{s.logs, s}))),
		tracing.WithSlog(slog.New(strangeHandler{slog.NewTextHandler(s.slog, nil), s})),
		tracing.WithKey(func(string) string {
			_ = s.at(nil, "formatter") //nolint:staticcheck // it has no context
			return "shown"
		}),
	)}
}

type strangeSampler struct {
	sdktrace.Sampler
	s *scenario
}

func (p strangeSampler) ShouldSample(params sdktrace.SamplingParameters) sdktrace.SamplingResult {
	_ = p.s.at(params.ParentContext, "sampler")
	return p.Sampler.ShouldSample(params)
}

type strangeSpans struct{ s *scenario }

func (p strangeSpans) OnStart(ctx context.Context, _ sdktrace.ReadWriteSpan) {
	_ = p.s.at(ctx, "span start")
}

func (p strangeSpans) OnEnd(sdktrace.ReadOnlySpan) {
	_ = p.s.at(nil, "span end") //nolint:staticcheck // it has no context
}

func (strangeSpans) Shutdown(context.Context) error   { return nil }
func (strangeSpans) ForceFlush(context.Context) error { return nil }

// strangeLogs misbehaves after it has recorded.
type strangeLogs struct {
	*logRecorder
	s *scenario
}

func (p strangeLogs) OnEmit(ctx context.Context, record *sdklog.Record) error {
	_ = p.logRecorder.OnEmit(ctx, record)
	return p.s.at(ctx, "log processor")
}

func (p strangeLogs) Enabled(ctx context.Context, _ sdklog.EnabledParameters) bool {
	return p.s.at(ctx, "log enabled") == nil
}

// strangeHandler misbehaves after it has written.
type strangeHandler struct {
	slog.Handler
	s *scenario
}

func (h strangeHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.s.at(ctx, "slog enabled") == nil && h.Handler.Enabled(ctx, level)
}

func (h strangeHandler) Handle(ctx context.Context, r slog.Record) error {
	_ = h.Handler.Handle(ctx, r)
	return h.s.at(ctx, "slog handler")
}
