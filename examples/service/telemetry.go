package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// telemetry holds the providers, which are given to everything that is observed.
type telemetry struct {
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider
	metrics http.Handler // what Prometheus scrapes
	log     *slog.Logger
}

// newSpanProcessor returns a processor that sends spans to the endpoint that the
// environment names: nil when it names none. Without that rule the exporter would look
// for a collector on localhost, and complain.
func newSpanProcessor(ctx context.Context, getenv func(string) string, log *slog.Logger) (sdktrace.SpanProcessor, error) {
	if getenv("OTEL_TRACES_EXPORTER") == "" &&
		getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		log.InfoContext(ctx, "traces are not exported: set OTEL_EXPORTER_OTLP_ENDPOINT, for instance to http://localhost:4318")
		return nil, nil
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("exporter of traces: %w", err)
	}
	return sdktrace.NewBatchSpanProcessor(exporter), nil
}

// newTelemetry makes the providers; spans may be nil.
func newTelemetry(ctx context.Context, spans sdktrace.SpanProcessor, log *slog.Logger) (*telemetry, error) {
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come after these, so they win. The
	// instance is new in each process: a restart shows.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName("users"), semconv.ServiceVersion(version()),
			semconv.ServiceInstanceID(rand.Text())),
		resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("exporter of metrics: %w", err)
	}
	traces := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if spans != nil {
		traces = append(traces, sdktrace.WithSpanProcessor(spans))
	}
	return &telemetry{
		tracers: sdktrace.NewTracerProvider(traces...),
		meters: sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(reader),
			sdkmetric.WithView(views()...)),
		// OpenMetrics is the format that has exemplars: the trace behind a bucket.
		metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{
			EnableOpenMetrics: true,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelError),
		}),
		log: log,
	}, nil
}

// version is that of the module from which the program was built, with the commit where
// the go command knew it; "(devel)" where it did not.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// views keep the series of HTTP few. By default they have the Host header, which any
// client can make up. Exemplars would have the attributes that are left out, and those
// are too long, so there are none. The histograms of the cache need no view: tiercache
// advises their buckets, from microseconds to seconds.
func views() []sdkmetric.View {
	noExemplars := func(sdkmetric.Aggregation) exemplar.ReservoirProvider {
		return exemplar.FixedSizeReservoirProvider(0)
	}
	return []sdkmetric.View{
		sdkmetric.NewView(sdkmetric.Instrument{Name: "http.server.*.body.size"},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "http.server.request.duration"},
			sdkmetric.Stream{
				AttributeFilter: attribute.NewAllowKeysFilter(
					semconv.HTTPRequestMethodKey, semconv.HTTPRouteKey, semconv.HTTPResponseStatusCodeKey),
				ExemplarReservoirProviderSelector: noExemplars,
			}),
	}
}

// shutdown sends the rest of the telemetry.
func (t *telemetry) shutdown(ctx context.Context) error {
	return errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx))
}
