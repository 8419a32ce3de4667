package tiercache_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// Each test named TestWay makes a cache and calls one operation. internal/tools/way
// compares their coverage with that of TestWay_New, and so lists the functions that
// the operation runs.

// wayTier is the smallest backend: it holds one entry, and no line of the module runs
// in it.
type wayTier struct {
	entry     backends.Entry[string]
	ok        bool
	inProcess bool
}

func (w *wayTier) Get(context.Context, string) (entry backends.Entry[string], ok bool, err error) {
	return w.entry, w.ok, nil
}

func (w *wayTier) Set(_ context.Context, _ string, entry backends.Entry[string]) error {
	w.entry, w.ok = entry, true
	return nil
}

func (w *wayTier) Delete(context.Context, string) error {
	w.ok = false
	return nil
}

func (w *wayTier) Describe() backends.Description {
	return backends.Description{InProcess: w.inProcess}
}

// wayCache returns a cache that is traced and measured.
func wayCache(t *testing.T) (cache *tiercache.Cache[string], l1, l2 *wayTier) {
	t.Helper()
	l1, l2 = &wayTier{inProcess: true}, new(wayTier)
	cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(
		tracing.WithTracerProvider(sdktrace.NewTracerProvider()),
		tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))),
		tracing.Disabled()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, cache.Close(context.Background())) }) //nolint:usetesting // the test's own has ended by now
	return cache, l1, l2
}

func TestWay_New(t *testing.T) {
	t.Parallel()
	wayCache(t)
}

func TestWay_Set(t *testing.T) {
	t.Parallel()
	cache, l1, l2 := wayCache(t)
	require.NoError(t, cache.Set(t.Context(), "k", "v", time.Hour))
	assert.Equal(t, "v", l1.entry.Value)
	assert.Equal(t, "v", l2.entry.Value)
}

func TestWay_GetHitL1(t *testing.T) {
	t.Parallel()
	cache, l1, _ := wayCache(t)
	*l1 = wayTier{entry: backends.Entry[string]{Value: "v"}, ok: true}
	v, ok, err := cache.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "v", v)
}

func TestWay_GetHitL2(t *testing.T) {
	t.Parallel()
	cache, l1, l2 := wayCache(t)
	*l2 = wayTier{entry: backends.Entry[string]{Value: "v"}, ok: true}
	v, ok, err := cache.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "v", v)
	assert.Equal(t, "v", l1.entry.Value, "the refill")
}

func TestWay_GetOrLoadMiss(t *testing.T) {
	t.Parallel()
	cache, l1, l2 := wayCache(t)
	v, err := cache.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return "v", nil })
	require.NoError(t, err)
	assert.Equal(t, "v", v)
	assert.Equal(t, "v", l1.entry.Value)
	assert.Equal(t, "v", l2.entry.Value)
}
