package tracing_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// A call of a store is described once: by its tier's span, or by that of an
// instrumented client below it.
func TestStoreIsDescribedOnce(t *testing.T) {
	t.Parallel()
	remote := backends.Description{System: "redis", ServerAddress: "cache.internal", ServerPort: 6379}
	instrumented, embedded := remote, backends.Description{System: "badger", InProcess: true}
	instrumented.Instrumented = true
	disk := backends.Description{System: "badger", Local: true}
	commands := remote
	commands.SetOperation = "SET"
	for _, test := range []struct {
		name  string
		desc  backends.Description
		kind  trace.SpanKind
		attrs []attribute.KeyValue
	}{
		{"unknown", backends.Description{}, trace.SpanKindClient, nil},
		{"remote", remote, trace.SpanKindClient, []attribute.KeyValue{
			semconv.DBSystemNameRedis, semconv.ServerAddress("cache.internal"), semconv.ServerPort(6379),
		}},
		{"instrumented", instrumented, trace.SpanKindInternal, nil},
		{"on disk", disk, trace.SpanKindInternal, []attribute.KeyValue{semconv.DBSystemNameKey.String("badger")}},
		{"with commands", commands, trace.SpanKindClient, []attribute.KeyValue{
			semconv.DBSystemNameRedis, semconv.DBOperationName("SET"),
			semconv.ServerAddress("cache.internal"), semconv.ServerPort(6379),
		}},
		{"in the process", embedded, trace.SpanKindInternal, []attribute.KeyValue{
			semconv.DBSystemNameKey.String("badger"),
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewSpanRecorder()
			l2 := backendtest.WithFaults(backendtest.NewMap[string]()).Described(test.desc)
			cache, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithTelemetry(
				tracing.Disabled(), tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))))
			require.NoError(t, err)
			require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
			for _, span := range spans.Ended() {
				if span.Name() != "set users l2" {
					continue
				}
				assert.Equal(t, test.kind, span.SpanKind())
				assert.ElementsMatch(t, test.attrs, ofStore(span.Attributes()))
				return
			}
			t.Fatal("the tier has no span")
		})
	}
}

func ofStore(attrs []attribute.KeyValue) (out []attribute.KeyValue) {
	for _, kv := range attrs {
		switch kv.Key {
		case semconv.DBSystemNameKey, semconv.DBOperationNameKey, semconv.DBResponseStatusCodeKey, semconv.ServerAddressKey, semconv.ServerPortKey:
			out = append(out, kv)
		}
	}
	return out
}

// repliedError is the error reply of a store.
type repliedError struct{ code string }

func (repliedError) Error() string                { return "replied" }
func (e repliedError) ResponseStatusCode() string { return e.code }

// The code of an error reply is on the span that describes the call of the database, if
// it is an identifier.
func TestResponseStatusCode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		desc backends.Description
		code string
		want bool
	}{
		"a database":          {backends.Description{System: "redis"}, "OOM", true},
		"instrumented":        {backends.Description{System: "redis", Instrumented: true}, "OOM", false},
		"no database":         {backends.Description{}, "OOM", false},
		"not an identifier":   {backends.Description{System: "redis"}, "user 42 is unknown", false},
		"an error without it": {backends.Description{System: "redis"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewSpanRecorder()
			l2 := backendtest.WithFaults(backendtest.NewMap[string]()).Described(test.desc)
			l2.Next(tier.Set, backendtest.FailBefore(repliedError{test.code}))
			cache, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithTelemetry(
				tracing.Disabled(), tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))))
			require.NoError(t, err)
			require.Error(t, cache.Set(t.Context(), "k", "v", 0))
			found := false
			for _, span := range spans.Ended() {
				for _, a := range span.Attributes() {
					if a.Key == semconv.DBResponseStatusCodeKey {
						found = true
						assert.Equal(t, "set users l2", span.Name())
						assert.Equal(t, test.code, a.Value.AsString())
					}
				}
			}
			assert.Equal(t, test.want, found)
		})
	}
}
