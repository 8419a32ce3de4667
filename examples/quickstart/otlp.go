package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// collector is where -exporter otlp sends the three signals.
type collector struct {
	service string // name in the collector
	targets [3]*target

	spans   sdktrace.SpanExporter
	metrics sdkmetric.Exporter
	logs    sdklog.Exporter
}

// newCollector makes the exporters, and fails at once when nothing listens where
// the traces are to go.
func newCollector(ctx context.Context, res *resource.Resource) (*collector, error) {
	c := new(collector)
	name, _ := res.Set().Value(semconv.ServiceNameKey)
	c.service = name.AsString()
	var err error
	for i, signal := range []string{"traces", "metrics", "logs"} {
		if c.targets[i], err = newTarget(signal); err != nil {
			return nil, err
		}
	}
	traces, metrics, logs := c.targets[0], c.targets[1], c.targets[2]
	if err := traces.check(ctx); err != nil {
		return nil, err
	}
	spanExporter, err := newSpanExporter(ctx, traces)
	if err != nil {
		return nil, fmt.Errorf("exporter of traces: %w", err)
	}
	metricExporter, err := newMetricExporter(ctx, metrics)
	if err != nil {
		return nil, fmt.Errorf("exporter of metrics: %w", err)
	}
	logExporter, err := newLogExporter(ctx, logs)
	if err != nil {
		return nil, fmt.Errorf("exporter of logs: %w", err)
	}
	c.spans = notedSpans{spanExporter, traces}
	c.metrics = notedMetrics{metricExporter, metrics}
	c.logs = notedLogs{logExporter, logs}
	return c, nil
}

// The endpoint is given explicitly, because the default of the exporters is
// https. They read the rest from the environment: headers, certificates,
// compression, timeouts.

func newSpanExporter(ctx context.Context, t *target) (sdktrace.SpanExporter, error) {
	if t.grpc {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(t.url.String()))
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(t.url.String()))
}

func newMetricExporter(ctx context.Context, t *target) (sdkmetric.Exporter, error) {
	if t.grpc {
		return otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL(t.url.String()))
	}
	return otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(t.url.String()))
}

func newLogExporter(ctx context.Context, t *target) (sdklog.Exporter, error) {
	if t.grpc {
		return otlploggrpc.New(ctx, otlploggrpc.WithEndpointURL(t.url.String()))
	}
	return otlploghttp.New(ctx, otlploghttp.WithEndpointURL(t.url.String()))
}

// The exporters below note whether the target accepted the telemetry instead of giving
// errors to OpenTelemetry's error handler, which would print every one.

type notedSpans struct {
	sdktrace.SpanExporter
	target *target
}

func (e notedSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.target.note(e.SpanExporter.ExportSpans(ctx, spans))
	return nil
}

type notedMetrics struct {
	sdkmetric.Exporter
	target *target
}

func (e notedMetrics) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	e.target.note(e.Exporter.Export(ctx, data))
	return nil
}

type notedLogs struct {
	sdklog.Exporter
	target *target
}

func (e notedLogs) Export(ctx context.Context, records []sdklog.Record) error {
	e.target.note(e.Exporter.Export(ctx, records))
	return nil
}

// err says that the traces did not arrive. Metrics and logs are not essential:
// Jaeger does not take them.
func (c *collector) err() error {
	if err := c.targets[0].err(); err != nil {
		return fmt.Errorf("the traces were not accepted at %s: %w", c.targets[0].url, err)
	}
	return nil
}
