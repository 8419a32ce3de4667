package tiercache_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// callbacks is a meter provider that counts the callbacks which are registered.
type callbacks struct {
	metric.MeterProvider
	n atomic.Int64
}

func (c *callbacks) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return countedMeter{c.MeterProvider.Meter(name, opts...), &c.n}
}

type countedMeter struct {
	metric.Meter
	n *atomic.Int64
}

func (m countedMeter) RegisterCallback(f metric.Callback, instruments ...metric.Observable) (metric.Registration, error) {
	r, err := m.Meter.RegisterCallback(f, instruments...)
	m.n.Add(1)
	return countedRegistration{r, m.n}, err
}

type countedRegistration struct {
	metric.Registration
	n *atomic.Int64
}

func (r countedRegistration) Unregister() error {
	r.n.Add(-1)
	return r.Registration.Unregister()
}

// comings are the things that caches share which come and go.
type comings struct {
	mp    *callbacks
	tp    *sdktrace.TracerProvider
	l1    *backendtest.Map[string]
	store *backendtest.Store[string]
}

func newComings() comings {
	return comings{
		&callbacks{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))},
		sdktrace.NewTracerProvider(), backendtest.NewMap[string](), backendtest.NewStore[string](),
	}
}

// comeAndGo opens a cache with everything on, uses it, and closes it. L2 may refuse its write.
func (s comings) comeAndGo(t *testing.T, refuse bool) {
	t.Helper()
	client := s.store.Client()
	l2 := backendtest.WithFaults[string](client)
	if refuse {
		l2.Next(tier.Set, backendtest.FailBefore(errRefused))
	}
	c, err := tiercache.New("users", s.l1, l2,
		tiercache.WithTelemetry(tracing.WithMeterProvider(s.mp), tracing.WithTracerProvider(s.tp)),
		tiercache.WithCoherence(time.Second, tiercache.AskL2), tiercache.WithScrubber(1000), tiercache.WithNegativeTTL(time.Minute),
		tiercache.WithStaleIfError(time.Minute), tiercache.WithRefreshAhead(0.9))
	require.NoError(t, err)
	<-client.Watched()
	require.True(t, client.Sync())
	_, err = c.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return "v", nil })
	require.NoError(t, err)
	_, err = c.GetOrLoad(t.Context(), "none", time.Hour, func(context.Context, string) (string, error) { return "", tiercache.ErrNotFound })
	require.ErrorIs(t, err, tiercache.ErrNotFound)
	if err := c.Close(t.Context()); !refuse || !errors.Is(err, tiercache.ErrDiverged) { // unless it is repaired by then
		require.NoError(t, err)
	}
}

// Caches that are opened and closed all the time, over the same backends, leave nothing behind.
func TestClose_NothingStays(t *testing.T) { //nolint:paralleltest // it measures the heap
	const n, most = 2000, 512 // caches, so many that what other tests leave says little, and bytes each
	s := newComings()
	cycles := func(n int) (heap uint64) {
		for range n {
			s.comeAndGo(t, false)
		}
		for range 3 { // pools
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, goroutines := cycles(50), runtime.NumGoroutine()
	after := cycles(n)
	assert.Less(t, int64(after)-int64(before), int64(n*most)) //nolint:gosec // small
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
	assert.Zero(t, s.mp.n.Load(), "callbacks of metrics")
}

// The metrics of a ledger that had an entry stay for the readers to come, and then go.
func TestClose_LastMetricsOfALedger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newComings()
		s.comeAndGo(t, true)
		assert.EqualValues(t, 1, s.mp.n.Load())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Zero(t, s.mp.n.Load())
	})
}
