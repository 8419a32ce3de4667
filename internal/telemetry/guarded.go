package telemetry

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/guard"
)

// startSpan returns a nil span if a processor or sampler panics.
func startSpan(
	ctx context.Context, tracer trace.Tracer, name string, opts []trace.SpanStartOption,
) (in context.Context, span trace.Span) {
	in = ctx
	defer guard.Report()
	in, span = tracer.Start(ctx, name, opts...) //nolint:spancheck // the operation ends it
	return in, span                             //nolint:spancheck // likewise
}

func endSpan(span trace.Span, opts ...trace.SpanEndOption) {
	defer guard.Report()
	span.End(opts...)
}

func setAttributes(span trace.Span, attrs ...attribute.KeyValue) {
	defer guard.Report()
	span.SetAttributes(attrs...)
}

// fail marks the span of an operation or call that failed with err.
func fail(span trace.Span, err error) {
	defer guard.Report()
	span.SetStatus(codes.Error, err.Error())
	span.SetAttributes(errorType(err))
}

func addEvent(span trace.Span, name string, at time.Time, attrs attributes) {
	defer guard.Report()
	span.AddEvent(name, trace.WithTimestamp(at), trace.WithAttributes(attrs...))
}

func addLink(span trace.Span, to trace.SpanContext) {
	defer guard.Report()
	span.AddLink(trace.Link{SpanContext: to})
}

func emit(ctx context.Context, logger log.Logger, r log.Record) {
	defer guard.Report()
	logger.Emit(ctx, r)
}

func logEnabled(ctx context.Context, logger log.Logger, p log.EnabledParameters) (enabled bool) {
	defer guard.Report()
	return logger.Enabled(ctx, p)
}

func slogEnabled(ctx context.Context, logger *slog.Logger, level slog.Level) (enabled bool) {
	defer guard.Report()
	return logger.Enabled(ctx, level)
}

func logAttrs(ctx context.Context, logger *slog.Logger, level slog.Level, text string, attrs []slog.Attr) {
	defer guard.Report()
	logger.LogAttrs(ctx, level, text, attrs...)
}

// formatKey returns "" if the formatter panics. Invalid UTF-8 would cost the whole
// batch of spans at an OTLP exporter.
func formatKey(format func(string) string, key string) (shown string) {
	defer guard.Report()
	return strings.ToValidUTF8(format(key), "\uFFFD")
}

// recording reports whether the span records.
func recording(span trace.Span) (yes bool) {
	defer guard.Report()
	return span.IsRecording()
}

func spanContext(span trace.Span) (sc trace.SpanContext) {
	defer guard.Report()
	return span.SpanContext()
}

func measures(ctx context.Context, h metric.Float64Histogram) (enabled bool) {
	defer guard.Report()
	return h.Enabled(ctx)
}

// observe adds a value to a histogram. The SDK calls filters of exemplars and of
// attributes meanwhile.
func observe(ctx context.Context, h metric.Float64Histogram, v float64, opts []metric.RecordOption) {
	defer guard.Report()
	h.Record(ctx, v, opts...)
}

func add(ctx context.Context, c metric.Int64Counter, n int64, opts ...metric.AddOption) {
	defer guard.Report()
	c.Add(ctx, n, opts...)
}
