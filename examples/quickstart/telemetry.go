package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tiercache/tiercache/tracing"
)

// How long the program waits at its end for a collector that does not answer.
const (
	flushTimeout    = 4 * time.Second
	shutdownTimeout = time.Second
)

// telemetry holds the providers that a service makes once and gives to the cache.
// Besides exporting it, this program keeps the telemetry in memory, to print it.
type telemetry struct {
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider
	logs    *sdklog.LoggerProvider
	otlp    *collector // nil unless that is the exporter

	spans   *tracetest.InMemoryExporter
	printed int // of spans
	reader  *sdkmetric.ManualReader
	records *recordCounter
}

func newTelemetry(ctx context.Context, exporter string, stdout io.Writer) (*telemetry, error) {
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come after the default name.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName("tiercache-quickstart")), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	t := &telemetry{
		spans:   tracetest.NewInMemoryExporter(),
		reader:  sdkmetric.NewManualReader(),
		records: new(recordCounter),
	}
	traces := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithSyncer(t.spans),
	}
	metrics := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(t.reader)}
	logs := []sdklog.LoggerProviderOption{sdklog.WithResource(res), sdklog.WithProcessor(t.records)}

	switch exporter {
	case exporterStdout:
		spans, err := stdouttrace.New(stdouttrace.WithWriter(stdout))
		if err != nil {
			return nil, err
		}
		traces = append(traces, sdktrace.WithSyncer(spans))
	case exporterOTLP:
		if t.otlp, err = newCollector(ctx, res); err != nil {
			return nil, err
		}
		traces = append(traces, sdktrace.WithBatcher(t.otlp.spans))
		metrics = append(metrics, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(t.otlp.metrics)))
		logs = append(logs, sdklog.WithProcessor(sdklog.NewBatchProcessor(t.otlp.logs)))
	}
	t.tracers = sdktrace.NewTracerProvider(traces...)
	t.meters = sdkmetric.NewMeterProvider(metrics...)
	t.logs = sdklog.NewLoggerProvider(logs...)
	return t, nil
}

// flush sends the rest of the telemetry. The exporters note the result.
func (t *telemetry) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	_ = errors.Join(t.tracers.ForceFlush(ctx), t.meters.ForceFlush(ctx), t.logs.ForceFlush(ctx))
}

// shutdown stops the providers. It is for the end of the program, where nobody
// can do anything about an error.
func (t *telemetry) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	_ = errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx), t.logs.Shutdown(ctx))
}

// newSpans returns the spans that have ended since it was last called.
func (t *telemetry) newSpans() tracetest.SpanStubs {
	spans := t.spans.GetSpans()
	news := spans[t.printed:]
	t.printed = len(spans)
	return news
}

// has reports whether a span of that name has ended.
func (t *telemetry) has(name string) bool {
	return slices.ContainsFunc(t.spans.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name == name })
}

// counted reads the metric tiercache.inconsistencies.
func (t *telemetry) counted(ctx context.Context) (n int64, err error) {
	var data metricdata.ResourceMetrics
	if err := t.reader.Collect(ctx, &data); err != nil {
		return 0, err
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == tracing.MetricInconsistencies {
				for _, point := range sum.DataPoints {
					n += point.Value
				}
			}
		}
	}
	return n, nil
}

// recordCounter counts the log records of inconsistencies.
type recordCounter struct{ n atomic.Int64 }

var _ sdklog.Processor = (*recordCounter)(nil)

func (c *recordCounter) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (c *recordCounter) Shutdown(context.Context) error                         { return nil }
func (c *recordCounter) ForceFlush(context.Context) error                       { return nil }

func (c *recordCounter) OnEmit(_ context.Context, r *sdklog.Record) error {
	if r.EventName() == tracing.EventInconsistency {
		c.n.Add(1)
	}
	return nil
}
