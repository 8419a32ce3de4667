package tracing_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

func newCache(t *testing.T, opts ...tracing.Option) *tiercache.Cache[string] {
	t.Helper()
	return newNamedCache(t, "users", opts...)
}

func newNamedCache(t *testing.T, name string, opts ...tracing.Option) *tiercache.Cache[string] {
	t.Helper()
	cache, err := tiercache.New(name, backendtest.NewMap[string](), backendtest.NewMap[string](),
		tiercache.WithTelemetry(opts...))
	require.NoError(t, err)
	return cache
}

// A cache that was made before any SDK was installed reports to the one that
// comes later. Not parallel: the providers are global.
func TestGlobalProvidersMayComeLater(t *testing.T) {
	cache, off := newCache(t), newCache(t, nil, tracing.Disabled())
	require.NoError(t, cache.Set(t.Context(), "k", "v", 0))

	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	t.Cleanup(func() {
		otel.SetTracerProvider(tracenoop.NewTracerProvider())
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
	})
	require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
	assert.Len(t, spans.Ended(), 3)
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	require.Len(t, data.ScopeMetrics, 1)
	var names []string
	for _, m := range data.ScopeMetrics[0].Metrics {
		names = append(names, m.Name)
	}
	assert.ElementsMatch(t, append([]string{
		tracing.MetricOperationDuration, tracing.MetricTierOperationDuration,
	}, slices.Collect(maps.Keys(begun))...), names)

	require.NoError(t, off.Set(t.Context(), "k", "v", 0))
	assert.Len(t, spans.Ended(), 3, "a cache whose telemetry is off does not use the global providers")
}

// Disabled turns off only signals that were not chosen.
func TestDisabledKeepsWhatWasChosen(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	for _, opts := range [][]tracing.Option{
		{tracing.WithTracerProvider(tp), tracing.Disabled()},
		{tracing.Disabled(), tracing.WithTracerProvider(tp)},
	} {
		before := len(spans.Ended())
		require.NoError(t, newCache(t, opts...).Set(t.Context(), "k", "v", 0))
		assert.Len(t, spans.Ended(), before+3)
	}
}

type brokenMeters struct {
	metric.MeterProvider
}

type brokenMeter struct{ metric.Meter }

var errBroken = errors.New("broken meter")

func (brokenMeters) Meter(string, ...metric.MeterOption) metric.Meter {
	return brokenMeter{metricnoop.NewMeterProvider().Meter("")}
}

func (brokenMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errBroken
}

func TestMeterProviderFails(t *testing.T) {
	t.Parallel()
	_, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string](),
		tiercache.WithTelemetry(tracing.Disabled(), tracing.WithMeterProvider(brokenMeters{metricnoop.NewMeterProvider()})))
	require.ErrorIs(t, err, errBroken)
}
