package docs_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/compresscodec"
	"github.com/tiercache/tiercache/backends/msgpackcodec"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tiercachedebug"
	"github.com/tiercache/tiercache/tracing/keepinconsistent"
)

// Page is a value of the cache of docs/codecs.md.
type Page struct{ Text string }

func codecs(store backends.Backend[[]byte]) (backends.Backend[Page], error) {
	pages, err := backends.WithCodec(store, compresscodec.New(msgpackcodec.New[Page]()))
	return pages, err
}

func sampling(exporter sdktrace.SpanExporter) *sdktrace.TracerProvider {
	tp := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(keepinconsistent.Sampler(
			sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))),
		sdktrace.WithSpanProcessor(keepinconsistent.NewProcessor(
			sdktrace.NewBatchSpanProcessor(exporter))),
	)
	return tp
}

func coherent(client *redis.Client, l1 backends.Backend[User]) (*tiercache.Cache[User], error) {
	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("users:"), redisbackend.WithLog())
	if err != nil {
		return nil, err
	}
	l2, err := backends.WithCodec(store, backends.JSON[User]())
	if err != nil {
		return nil, err
	}
	users, err := tiercache.New("users", l1, l2, tiercache.WithCoherence(time.Second, tiercache.AskL2))
	return users, err
}

// QuotaError is an error that docs/error-types.md names.
type QuotaError struct{}

func (e *QuotaError) Error() string { return "over quota" }

func (e *QuotaError) ErrorType() string { return "quota" }

func debugPage(mux *http.ServeMux, l1, l2 backends.Backend[User]) error {
	debug := tiercachedebug.New()
	users, err := tiercache.New("users", l1, l2, tiercache.WithInconsistencyHook(debug.Record))
	if err != nil {
		return err
	}
	if err := debug.Add(users); err != nil {
		return err
	}
	mux.Handle("/debug/tiercache", debug) // on the port of your metrics, which users do not reach
	return nil
}

func TestPages(t *testing.T) {
	t.Parallel()
	pages, err := codecs(backendtest.NewMap[[]byte]())
	require.NoError(t, err)
	require.NoError(t, pages.Set(t.Context(), "1", backends.Entry[Page]{Value: Page{"text"}}))
	entry, ok, err := pages.Get(t.Context(), "1")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "text", entry.Value.Text)

	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	users, err := coherent(client, backendtest.NewMap[User]())
	require.NoError(t, err)
	assert.True(t, users.Status().Coherence.On)
	require.NoError(t, users.Close(t.Context()))

	require.NoError(t, sampling(tracetest.NewInMemoryExporter()).Shutdown(t.Context()))
	assert.Equal(t, "quota", new(QuotaError).ErrorType())

	mux := http.NewServeMux()
	require.NoError(t, debugPage(mux, backendtest.NewMap[User](), backendtest.NewMap[User]()))
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/debug/tiercache", nil))
	assert.Contains(t, answer.Body.String(), "<h2>users</h2>")
}
