package service_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// settings is what the tests choose of a service.
type settings struct {
	name  string // of the service in Jaeger; "users" by default
	redis *server.Redis
	otlp  string   // the collector's URL; "" for none
	env   []string // added to the usual ones
	args  []string // likewise
}

// instance is a service that runs.
type instance struct {
	*server.Process

	name    string // of the service in Jaeger
	address string // host:port
	metrics string // host:port
}

// writeTimeout is longer than the service's own default, so that no healthy write
// fails on a machine that is busy.
const writeTimeout = "2s"

// coherent is longer than the service's own bound for the same reason: L1 is believed.
const coherent = "30s"

// startService starts a service. A test that does not stop it stops it at its end,
// and shows what it has printed when it has failed.
func startService(t *testing.T, s settings) *instance {
	t.Helper()
	path := build(t)
	if s.name == "" {
		s.name = "users"
	}
	process, addresses, err := server.StartOnPorts(t.Context(), 2, func(addresses []string) server.Config {
		return server.Config{
			Program: path,
			Args: slices.Concat([]string{
				"-listen", addresses[0], "-metrics-listen", addresses[1], "-redis", s.redis.Addr, "-write-timeout", writeTimeout,
				"-coherence", coherent,
			}, s.args),
			Env: environment(s),
			Ready: func(ctx context.Context) error {
				a, err := call(ctx, http.MethodGet, "http://"+addresses[0]+"/healthz", "")
				if err == nil && a.status != http.StatusOK {
					err = fmt.Errorf("status %d: %s", a.status, a.body)
				}
				return err
			},
		}
	})
	require.NoError(t, err)
	t.Cleanup(process.Stop)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s printed:\n%s", s.name, process.Output())
		}
	})
	return &instance{Process: process, name: s.name, address: addresses[0], metrics: addresses[1]}
}

// environment makes the service send what it has soon, by variables that every
// OpenTelemetry SDK knows.
func environment(s settings) []string {
	env := append(server.WithoutTelemetry(), "OTEL_SERVICE_NAME="+s.name, "OTEL_BSP_SCHEDULE_DELAY=100")
	if s.otlp != "" {
		env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT="+s.otlp, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
	}
	return append(env, s.env...)
}

func (s *instance) user(id string) string { return "http://" + s.address + "/users/" + id }

// request makes a request for a user and requires a status.
func (s *instance) request(t *testing.T, method, id, body string, status int) answer {
	t.Helper()
	a, err := call(t.Context(), method, s.user(id), body)
	require.NoError(t, err)
	require.Equal(t, status, a.status, "%s %s: %s", method, id, a.body)
	return a
}

// warmUp makes a write and a read that are not looked at: the first ones ask for the log's
// place, and give the server its scripts.
func (s *instance) warmUp(t *testing.T) {
	t.Helper()
	s.put(t, "first", "First")
	s.get(t, "998")
}

// put stores a user. The database has it then, whatever becomes of the cache.
func (s *instance) put(t *testing.T, id, name string) answer {
	t.Helper()
	return s.request(t, http.MethodPut, id, fmt.Sprintf(`{"name":%q}`, name), http.StatusOK)
}

// get asks for a user who exists.
func (s *instance) get(t *testing.T, id string) {
	t.Helper()
	s.request(t, http.MethodGet, id, "", http.StatusOK)
}
