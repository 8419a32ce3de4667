package tracing_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// begunCoherent are the series of a cache with coherence, besides those of any cache.
var begunCoherent = map[string]int{
	tracing.MetricInvalidations:   4,
	tracing.MetricCoherenceStatus: 2,
	tracing.MetricCoherenceGaps:   backends.Losses,
	tracing.MetricLedgerEntries:   5,
	tracing.MetricLedgerAdditions: 5,
	tracing.MetricRepairs:         5,
	tracing.MetricScrubChecks:     5,
}

func newCoherent(t *testing.T, client watched, opts ...tracing.Option) *tiercache.Cache[string] {
	t.Helper()
	return newCoherentOver(t, backendtest.NewMap[string](), client, opts...)
}

func newCoherentOver(t *testing.T, l1 backends.Backend[string], client watched, opts ...tracing.Option) *tiercache.Cache[string] {
	t.Helper()
	cache, err := tiercache.New("users", l1, client,
		tiercache.WithCoherence(time.Second, tiercache.ServeStale), tiercache.WithTelemetry(opts...))
	require.NoError(t, err)
	<-client.Watched()
	require.True(t, client.Sync())
	return cache
}

// watched is a client of a store, or a decorator of one.
type watched interface {
	backends.Backend[string]
	Watched() <-chan struct{}
	Sync() bool
}

// faulty is a client that can be given faults.
type faulty struct {
	*backendtest.Faults[string]
	client *backendtest.Client[string]
}

func (f faulty) Watched() <-chan struct{} { return f.client.Watched() }
func (f faulty) Sync() bool               { return f.client.Sync() }

// repairScenario shows everything that a cache emits about a repair.
func repairScenario(t *testing.T, opts ...tracing.Option) interface {
	Close(ctx context.Context) error
} {
	t.Helper()
	client := backendtest.NewStore[string]().Client()
	l1, l2 := backendtest.WithFaults[string](backendtest.NewMap[string]()), faulty{backendtest.WithFaults[string](client), client}
	for _, kind := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
		l1.Always(kind, backendtest.Delay(time.Millisecond))
		l2.Always(kind, backendtest.Delay(time.Millisecond))
	}
	cache := newCoherentOver(t, l1, l2, opts...)
	require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
	l2.Next(tier.Set, refuse)
	l2.Next(tier.Get, refuse) // the first attempt fails
	require.Error(t, cache.Set(t.Context(), "k", "new", 0))
	for range 2 {
		synctest.Wait()
		time.Sleep(time.Second)
		require.True(t, l2.Sync())
	}
	time.Sleep(time.Second)
	synctest.Wait()
	require.Zero(t, cache.Status().Repair.Open)
	return cache
}

// coherenceScenario shows everything that a cache emits about the writes of others.
func coherenceScenario(t *testing.T, opts ...tracing.Option) (caches []interface {
	Close(ctx context.Context) error
},
) {
	t.Helper()
	store := backendtest.NewStore[string]()
	here, there := store.Client(), store.Client()
	reader, writer := newCoherent(t, here, opts...), newCoherent(t, there, opts...)
	read := func() {
		_, _, err := reader.Get(t.Context(), "k")
		require.NoError(t, err)
	}
	require.NoError(t, writer.Set(t.Context(), "k", "v", 0))
	require.True(t, here.Sync())
	read()
	require.NoError(t, writer.Set(t.Context(), "k", "v", 0))
	require.True(t, here.Sync()) // it drops the copy
	read()
	here.Lose(backends.LossTrimmed)
	read()
	require.True(t, here.Sync())
	read()
	return append(caches, reader, writer)
}

func TestCountersBeginAtZero_Coherence(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	cache := newCoherent(t, backendtest.NewStore[string]().Client(),
		tracing.Disabled(), tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	numbers, sums := series(t, reader)
	for name, n := range begunCoherent {
		assert.Equal(t, n, numbers[name], name)
		if name != tracing.MetricCoherenceStatus {
			assert.Zero(t, sums[name], name)
		}
	}
	assert.EqualValues(t, 1, sums[tracing.MetricCoherenceStatus])
	require.NoError(t, cache.Close(t.Context()))
}
