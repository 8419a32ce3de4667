package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// startRedis and the functions below start a server that the test stops at its end.
// When it is not installed, the test fails and the error says what to do.

func startRedis(t *testing.T) *server.Redis {
	t.Helper()
	redis, err := server.StartRedis(t.Context())
	require.NoError(t, err)
	t.Cleanup(redis.Stop)
	return redis
}

func startJaeger(t *testing.T) *server.Jaeger {
	t.Helper()
	jaeger, err := server.StartJaeger(t.Context())
	require.NoError(t, err)
	t.Cleanup(jaeger.Stop)
	return jaeger
}

func startPrometheus(t *testing.T, config server.PrometheusConfig) *server.Prometheus {
	t.Helper()
	prometheus, err := server.StartPrometheus(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(prometheus.Stop)
	return prometheus
}

// during stops Redis, as a machine does that hangs, while something is done: its
// connections stay open, and nothing answers on them.
func during(t *testing.T, redis *server.Redis, do func()) {
	t.Helper()
	require.NoError(t, redis.Pause())
	defer func() { require.NoError(t, redis.Continue()) }()
	do()
}
