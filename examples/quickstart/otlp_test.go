package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// backend is a collector, or as much of one as a test says.
type backend struct {
	tracepb.UnimplementedTraceServiceServer

	mu      sync.Mutex
	spans   int
	records int
	metrics []string
}

func (b *backend) traces(r *tracepb.ExportTraceServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			b.spans += len(scope.GetSpans())
		}
	}
}

// Export is the trace service of gRPC.
func (b *backend) Export(_ context.Context, r *tracepb.ExportTraceServiceRequest) (*tracepb.ExportTraceServiceResponse, error) {
	b.traces(r)
	return &tracepb.ExportTraceServiceResponse{}, nil
}

// handler serves OTLP over HTTP, but only for some paths.
func (b *backend) handler(t *testing.T, paths ...string) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	take := func(message proto.Message, done func()) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.NoError(t, proto.Unmarshal(body, message))
			done()
		}
	}
	for _, path := range paths {
		var spans tracepb.ExportTraceServiceRequest
		var metrics metricspb.ExportMetricsServiceRequest
		var logs logspb.ExportLogsServiceRequest
		switch path {
		case "/v1/traces":
			mux.Handle(path, take(&spans, func() { b.traces(&spans) }))
		case "/v1/metrics":
			mux.Handle(path, take(&metrics, func() {
				for _, m := range metrics.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics() {
					b.metrics = append(b.metrics, m.GetName())
				}
			}))
		case "/v1/logs":
			mux.Handle(path, take(&logs, func() {
				b.records += len(logs.GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords())
			}))
		}
	}
	return mux
}

func TestCollector(t *testing.T) {
	b := new(backend)
	server := httptest.NewServer(b.handler(t, "/v1/traces", "/v1/metrics", "/v1/logs"))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_SERVICE_NAME", "shop")

	status, stdout, stderr := runProgram(t, "-exporter", "otlp")
	assert.Equal(t, statusOK, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "traces, metrics, logs accepted at "+server.URL+"\n")
	assert.Contains(t, stdout, "service shop, tag tiercache.consistent=false")
	assert.Contains(t, stdout, "http://127.0.0.1:16686/search?service=shop&tags=%7B%22tiercache.consistent%22%3A%22false%22%7D")
	assert.Equal(t, spansInAll, b.spans)
	assert.Equal(t, 5+1, b.records, "five inconsistencies, and the resolution of one")
	assert.Contains(t, b.metrics, "tiercache.inconsistencies")
}

// Jaeger answers 404 to what is no trace.
func TestCollectorOfTracesOnly(t *testing.T) {
	b := new(backend)
	server := httptest.NewServer(b.handler(t, "/v1/traces"))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)

	status, stdout, stderr := runProgram(t, "-exporter", "otlp")
	assert.Equal(t, statusOK, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "traces accepted at "+server.URL+", metrics, logs not (Jaeger takes only traces)\n")
	assert.Equal(t, spansInAll, b.spans)
}

// The variable of one signal has the whole URL, and comes first.
func TestCollectorAtOwnPath(t *testing.T) {
	b := new(backend)
	server := httptest.NewServer(http.StripPrefix("/tenant", b.handler(t, "/v1/traces")))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+unusedAddress(t))
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.URL+"/tenant/v1/traces")

	status, stdout, _ := runProgram(t, "-exporter", "otlp")
	assert.Equal(t, statusOK, status)
	assert.Contains(t, stdout, "traces accepted at "+server.URL+", metrics, logs not")
	assert.Equal(t, spansInAll, b.spans)
}

func TestCollectorOverGRPC(t *testing.T) {
	b := new(backend)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	tracepb.RegisterTraceServiceServer(server, b)
	var serving sync.WaitGroup
	serving.Go(func() { assert.NoError(t, server.Serve(listener)) })
	defer serving.Wait()
	defer server.Stop()
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())

	status, stdout, stderr := runProgram(t, "-exporter", "otlp")
	assert.Equal(t, statusOK, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "traces accepted at http://"+listener.Addr().String()+", metrics, logs not")
	assert.Equal(t, spansInAll, b.spans)
}

func TestNoTracesAccepted(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)

	status, stdout, stderr := runProgram(t, "-exporter", "otlp")
	assert.Equal(t, statusFailed, status)
	assert.Contains(t, stderr, "quickstart: the traces were not accepted at "+server.URL+"/v1/traces: ")
	assert.Contains(t, stderr, "404 Not Found")
	assert.NotContains(t, stdout, "Where to look")
}

func TestNoAnswer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200") // milliseconds

	status, _, stderr := runProgram(t, "-exporter", "otlp")
	assert.Equal(t, statusFailed, status)
	assert.Contains(t, stderr, "quickstart: the traces were not accepted at "+server.URL)
}

func TestNothingListens(t *testing.T) {
	address := unusedAddress(t)
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
			status, stdout, stderr := runProgram(t, "-exporter", "otlp")
			assert.Equal(t, statusFailed, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, "quickstart: nothing listens at http://"+address)
			assert.Contains(t, stderr, "start Jaeger:")
			assert.Contains(t, stderr, "OTEL_EXPORTER_OTLP_ENDPOINT=")
		})
	}
}

func TestWrongVariables(t *testing.T) {
	for name, tt := range map[string]struct{ variable, value, says string }{
		"protocol": {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "choose http/protobuf or grpc"},
		"endpoint": {"OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "it must be a URL such as"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			status, _, stderr := runProgram(t, "-exporter", "otlp")
			assert.Equal(t, statusFailed, status)
			assert.Contains(t, stderr, tt.variable+` is "`+tt.value+`"`)
			assert.Contains(t, stderr, tt.says)
		})
	}
}

// unusedAddress returns one at which nothing listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}
