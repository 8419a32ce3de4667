package service_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// TestShutdown ends the service with SIGTERM while a request runs. The request is
// answered, and its trace is in Jaeger, although nothing but the shutdown sends spans:
// the time between two batches is longer than the test.
func TestShutdown(t *testing.T) {
	t.Parallel()
	for protocol, collector := range map[string]func(*server.Jaeger) string{
		"http/protobuf": func(j *server.Jaeger) string { return j.OTLPHTTP },
		"grpc":          func(j *server.Jaeger) string { return j.OTLPGRPC },
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			jaeger := startJaeger(t)
			shutdown(t, jaeger, settings{
				redis: startRedis(t), otlp: collector(jaeger),
				env: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol, "OTEL_BSP_SCHEDULE_DELAY=3600000"},
			})
		})
	}
}

func shutdown(t *testing.T, jaeger *server.Jaeger, s settings) {
	t.Helper()
	users := startService(t, s)
	users.warmUp(t)
	users.get(t, "42")

	put := startPut(t, users, "ada", secretName)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		users.Stop()
	}()
	t.Cleanup(func() { <-stopped })
	eventually(t, func() error { return refused(t.Context(), users.address) })
	answered := put.finish(t)
	assert.Equal(t, http.StatusOK, answered.status, answered.body)
	<-stopped
	assert.Zero(t, users.ExitCode(), users.Output())

	awaitTree(t, jaeger.QueryURL, users.name, requestTags(http.MethodGet, "42"), rootGet, treeLoad)
	awaitTree(t, jaeger.QueryURL, users.name, requestTags(http.MethodPut, "ada"), rootPut, treePut)
}

// unfinished is a request whose body is still to come, while its handler waits for it.
type unfinished struct {
	body     *io.PipeWriter
	rest     string
	answered chan answer
	failed   chan error
}

// startPut begins to store a user, and returns once the handler reads the body: that
// is when a server says that the client may go on.
func startPut(t *testing.T, s *instance, id, name string) *unfinished {
	t.Helper()
	reader, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, s.user(id), reader)
	require.NoError(t, err)
	request.Header.Set("Expect", "100-continue")
	patient := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: deadline}}
	put := &unfinished{
		body: writer, rest: `{"name":"` + name + `"}`, answered: make(chan answer, 1), failed: make(chan error, 1),
	}
	go func() {
		a, err := do(patient, request)
		put.failed <- err
		put.answered <- a
	}()
	select {
	case <-reading:
	case err := <-put.failed:
		t.Fatalf("the request is over before its body was read: %v", err)
	case <-time.After(deadline):
		t.Fatal("nobody reads the body of the request")
	}
	return put
}

// finish sends the body and returns the answer.
func (u *unfinished) finish(t *testing.T) answer {
	t.Helper()
	_, err := io.Copy(u.body, strings.NewReader(u.rest))
	require.NoError(t, err)
	require.NoError(t, u.body.Close())
	require.NoError(t, <-u.failed)
	return <-u.answered
}

// refused returns nil once nobody listens on an address.
func refused(ctx context.Context, address string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil //nolint:nilerr // that is what is waited for
	}
	_ = conn.Close()
	return errors.New("the service still listens")
}
