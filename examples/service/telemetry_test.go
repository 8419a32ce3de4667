package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// The trace of a PUT while nobody listens where Redis should be. The call of
// Redis is described once, by its client's spans, one for each attempt.
func TestSpans_PutWithoutRedis(t *testing.T) {
	t.Parallel()
	f := newFixtureOver(t, func(opts options, tel *telemetry) (*stores, error) {
		return openStores(t.Context(), opts, tel)
	}, func(o *options) { o.redis, o.databaseDelay = []string{nobody(t)}, 0 })
	require.Equal(t, 200, f.do(t, "PUT", "/users/secret-id", `{"name":"secret name"}`).Code)

	spans := slices.DeleteFunc(f.spans.GetSpans(), func(s tracetest.SpanStub) bool {
		return s.SpanContext.TraceID() != spansNamed(f, "set users")[0].SpanContext.TraceID() // it is of the repair
	})
	assert.Equal(t, `PUT /users/{id} (server)
  UPSERT users (client)
  set users (internal) Error consistent=true l1.outcome=skipped l2.outcome=failed
    set users l2 (internal) Error outcome=failed
      evalsha (client) Error
        ! exception
      evalsha (client) Error
        ! exception
`, tiercachetest.Tree(spans.Snapshots(), tiercachetest.ShortNames(), tiercachetest.WithoutDescriptions(),
		tiercachetest.Only(tracing.AttrOutcome, tracing.AttrL1Outcome, tracing.AttrL2Outcome, tracing.AttrConsistent)))

	l2 := spansNamed(f, "set users l2")[0]
	assert.Contains(t, l2.Attributes, semconv.ErrorTypeKey.String("connection_refused"), "the reason, and no timeout")
	assert.Contains(t, l2.Status.Description, "after 2 attempts")

	// The tiers are equal, and older than the database: the cache repairs the key, and the
	// service says so on the span of the request.
	wrote := spansNamed(f, "set users")[0]
	assert.Equal(t, 1, f.users.status().Repair.Open)
	warned := f.logs.must(t, "the database was written, but the cache was not")
	assert.Equal(t, wrote.SpanContext.TraceID().String(), warned["trace_id"])
	assert.Equal(t, wrote.Parent.SpanID().String(), warned["span_id"])

	// The path of the request is the only place that has the key.
	for _, s := range spans {
		for _, a := range s.Attributes {
			assert.NotContains(t, a.Value.String(), "secret name")
			if a.Key != "url.path" {
				assert.NotContains(t, a.Value.String(), "secret", "%s of %s", a.Key, s.Name)
			}
		}
		assert.NotContains(t, s.Status.Description, "secret")
	}
	assert.NotContains(t, f.logs.buf.String(), "secret")
	assert.NotContains(t, f.do(t, "GET", "/metrics", "").Body.String(), "secret")
}

// A logger that was made from another one has the ids too.
func TestLogger_With(t *testing.T) {
	t.Parallel()
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(t.Context(), sc)
	logs := new(logBuffer)
	log := newLogger(logs)
	log.With("a", 1).InfoContext(ctx, "with")
	log.WithGroup("g").InfoContext(ctx, "group")
	log.Info("without")
	assert.Equal(t, sc.TraceID().String(), logs.must(t, "with")["trace_id"])
	assert.Equal(t, sc.SpanID().String(), logs.must(t, "group")["g"].(map[string]any)["span_id"])
	assert.NotContains(t, logs.must(t, "without"), "trace_id")
}

// A request begins a trace of its own, with a link to the one that its caller names.
func TestSpans_LinkToTheCallersTrace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *options) { o.databaseDelay = 0 })
	req := newRequest(t, "GET", "/users/7", "")
	req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
	f.serve(req)
	root := spansNamed(f, "GET /users/{id}")[0] // it is sampled, whatever the caller says
	assert.False(t, root.Parent.IsValid())
	assert.NotEqual(t, "0af7651916cd43dd8448eb211c80319c", root.SpanContext.TraceID().String())
	require.Len(t, root.Links, 1)
	assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", root.Links[0].SpanContext.TraceID().String())
	resource := root.Resource.Set()
	for _, key := range []attribute.Key{semconv.ServiceVersionKey, semconv.ServiceInstanceIDKey} {
		assert.True(t, resource.HasValue(key), key)
	}
}

// The trace context of a caller who is trusted is continued.
func TestSpans_ContinueATrustedCallersTrace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *options) { o.databaseDelay, o.trustTrace = 0, true })
	req := newRequest(t, "GET", "/users/7", "")
	req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.serve(req)
	for _, s := range f.spans.GetSpans() {
		assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", s.SpanContext.TraceID().String(), s.Name)
	}
	assert.NotEmpty(t, f.spans.GetSpans())
}

// Probes and scrapes are not traced, nor counted.
func TestSpans_NoneForProbes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	assert.Equal(t, 404, func() int { // not where users are
		w := httptest.NewRecorder()
		f.http.Handler.ServeHTTP(w, newRequest(t, "GET", "/metrics", ""))
		return w.Code
	}())
	assert.Equal(t, "ok\n", f.do(t, "GET", "/healthz", "").Body.String())
	metrics := f.do(t, "GET", "/metrics", "").Body.String()
	assert.Contains(t, metrics, "go_goroutines")
	assert.Contains(t, metrics, `target_info{`)
	assert.NotContains(t, metrics, "http_server_request")
	assert.Empty(t, f.spans.GetSpans())
}

// A bucket of L2's latency leads to the trace behind it.
func TestMetrics_Exemplars(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Next(tier.Set, backendtest.Lose(errors.New("connection lost")))
		f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		req := newRequest(t, "GET", "/metrics", "")
		req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
		metrics := f.serve(req).Body.String()
		traceID := spansNamed(f, "set users")[0].SpanContext.TraceID().String()
		for _, name := range []string{"tiercache_inconsistencies_total", "tiercache_tier_operation_duration_seconds_bucket"} {
			assert.Regexp(t, name+`\{.*trace_id="`+traceID, metrics)
		}
	})
}

// The Host header is the client's to choose, and makes no series.
func TestMetrics_NoHost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *options) { o.databaseDelay = 0 })
	req := newRequest(t, "GET", "/users/7", "")
	req.Host = "made-up.example"
	f.serve(req)
	metrics := f.do(t, "GET", "/metrics", "").Body.String()
	assert.Contains(t, metrics, `http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/users/{id}"} 1`)
	assert.NotContains(t, metrics, "made-up")
	assert.NotContains(t, metrics, "body_size")
}

// Without a word in the environment nothing is exported; a wrong one is an error.
func TestSpanProcessor_Environment(t *testing.T) {
	for _, name := range []string{"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		t.Setenv(name, "")
	}
	logs := new(logBuffer)
	p, err := newSpanProcessor(t.Context(), os.Getenv, newLogger(logs))
	require.NoError(t, err)
	assert.Nil(t, p)
	assert.Contains(t, logs.buf.String(), "traces are not exported")

	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+nobody(t))
	p, err = newSpanProcessor(t.Context(), os.Getenv, newLogger(logs))
	require.NoError(t, err)
	require.NotNil(t, p)
	require.NoError(t, p.Shutdown(t.Context()))

	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon")
	_, err = newSpanProcessor(t.Context(), os.Getenv, newLogger(logs))
	assert.ErrorContains(t, err, "exporter of traces")
}
