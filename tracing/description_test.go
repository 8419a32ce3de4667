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
	"github.com/tiercache/tiercache/tracing"
)

// A call of a store is described once: by its tier's span, or by that of an
// instrumented client below it.
func TestStoreIsDescribedOnce(t *testing.T) {
	t.Parallel()
	remote := backends.Description{System: "redis", ServerAddress: "cache.internal", ServerPort: 6379}
	instrumented, embedded := remote, backends.Description{System: "badger", InProcess: true}
	instrumented.Instrumented = true
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
		case semconv.DBSystemNameKey, semconv.ServerAddressKey, semconv.ServerPortKey:
			out = append(out, kv)
		}
	}
	return out
}
