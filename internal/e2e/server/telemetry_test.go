package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

func get(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestStartJaeger(t *testing.T) {
	t.Parallel()
	jaeger, err := server.StartJaeger(t.Context())
	require.NoError(t, err)
	t.Cleanup(jaeger.Stop)
	assert.Equal(t, http.StatusOK, get(t, jaeger.QueryURL+"/api/services"))
	assert.Equal(t, http.StatusMethodNotAllowed, get(t, jaeger.OTLPHTTP+"/v1/traces"), "spans are posted")
	assert.True(t, strings.HasPrefix(jaeger.OTLPGRPC, "http://127.0.0.1:"), jaeger.OTLPGRPC)
}

func TestStartJaeger_Missing(t *testing.T) { //nolint:paralleltest // it sets the environment
	t.Setenv(server.EnvJaeger, "no-such-jaeger")
	_, err := server.StartJaeger(t.Context())
	require.ErrorIs(t, err, server.ErrMissing)
}

func TestStartPrometheus(t *testing.T) {
	t.Parallel()
	prometheus, err := server.StartPrometheus(t.Context(), server.PrometheusConfig{})
	require.NoError(t, err)
	t.Cleanup(prometheus.Stop)
	assert.Equal(t, http.StatusOK, get(t, prometheus.URL+"/api/v1/rules"))
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	out, err := server.Promtool(t.Context(), "check", "rules", "no-such-file.yml")
	require.Error(t, err)
	assert.Contains(t, out, "no-such-file.yml")
}

func TestWithoutTelemetry(t *testing.T) { //nolint:paralleltest // it sets the environment
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://elsewhere.example")
	assert.Contains(t, server.WithoutTelemetry(), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=")
}
