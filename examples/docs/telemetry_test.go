package docs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
)

func turnOn(ctx context.Context) (func(context.Context) error, error) {
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := prometheus.New() // of go.opentelemetry.io/otel/exporters; promhttp.Handler() serves them
	if err != nil {
		return nil, err
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics))
	otel.SetTracerProvider(tp)
	otel.SetMeterProvider(mp)
	stop := func(ctx context.Context) error { return errors.Join(tp.Shutdown(ctx), mp.Shutdown(ctx)) } // at the end
	return stop, nil
}

// A cache that was given no provider sends its spans to the address in the environment, and
// its metrics are on the page of Prometheus. Not parallel: the providers are the program's.
func TestTurnOn(t *testing.T) {
	bodies := make(chan []byte, 16)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if assert.NoError(t, err) && r.URL.Path == "/v1/traces" {
			bodies <- body
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "shop")

	stop, err := turnOn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		otel.SetTracerProvider(tracenoop.NewTracerProvider())
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
	})
	users, err := tiercache.New("users", backendtest.NewMap[User](), backendtest.NewMap[User]())
	require.NoError(t, err)
	require.NoError(t, users.Set(t.Context(), "42", User{}, time.Hour))

	page := httptest.NewRecorder()
	promhttp.Handler().ServeHTTP(page, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	assert.Contains(t, page.Body.String(), "tiercache_inconsistencies_total{")

	require.NoError(t, users.Close(t.Context()))
	require.NoError(t, stop(t.Context()))
	close(bodies)
	var sent [][]byte
	for body := range bodies {
		sent = append(sent, body)
	}
	all := bytes.Join(sent, nil)
	assert.Contains(t, string(all), "set users l2")
	assert.Contains(t, string(all), "shop")
}
