package tracing_test

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache/tracing"
)

// series returns the number of series of each metric, and the sum of their values.
func series(t *testing.T, reader sdkmetric.Reader) (numbers map[string]int, sums map[string]int64) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	numbers, sums = map[string]int{}, map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, point := range sum.DataPoints {
					numbers[m.Name]++
					sums[m.Name] += point.Value
				}
			}
		}
	}
	return numbers, sums
}

// begun are the series of one cache.
var begun = map[string]int{
	tracing.MetricInconsistencies:  2 * 3 * 2, // operations, stale tiers, resolved or not
	tracing.MetricLookups:          2 * 3,     // tiers, results
	tracing.MetricReads:            11,        // results, three of them for one tier or two
	tracing.MetricWriteDetached:    1,
	tracing.MetricUnstorableValues: 1,
	tracing.MetricLoadActive:       1,
}

// Before anything has happened, each series of the counters is there, at 0: a
// query for its increase finds the first event too.
func TestCountersBeginAtZero(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	newCache(t, tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	for range 2 { // the second time adds nothing
		numbers, sums := series(t, reader)
		assert.Equal(t, begun, numbers)
		for name, sum := range sums {
			assert.Zero(t, sum, name)
		}
	}
}

// Many caches share a meter provider. Each has series of its own, those of equal names
// add up, and none of an instrument's series are merged into the overflow series.
func TestManyCaches(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	mp := tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	const caches = 100
	for i := range caches {
		for range 2 { // of one name
			cache := newNamedCache(t, fmt.Sprint("cache-", i), mp)
			_, _, err := cache.Get(t.Context(), "k")
			require.NoError(t, err)
		}
	}
	numbers, sums := series(t, reader)
	for name, n := range begun {
		assert.Equal(t, caches*n, numbers[name], name)
		assert.Less(t, numbers[name], 2000, name)
	}
	assert.Equal(t, int64(2*caches), sums[tracing.MetricReads])
	assert.Equal(t, int64(2*2*caches), sums[tracing.MetricLookups])
}

// A cache that is closed lets go of its callback. Its counts stay, also those that came
// after the last collection, and a cache of the same name goes on from them.
func TestClosedCacheKeepsItsCounts(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	mp := tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	for round := range 3 {
		cache := newCache(t, mp)
		require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
		series(t, reader)
		_, ok, err := cache.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		require.NoError(t, cache.Close(t.Context()))
		require.NoError(t, cache.Close(t.Context()), "again")
		numbers, sums := series(t, reader)
		assert.Equal(t, int64(round+1), sums[tracing.MetricReads])
		assert.Equal(t, int64(round+1), sums[tracing.MetricLookups])
		assert.NotContains(t, numbers, tracing.MetricWriteDetached, "nobody observes it any more")
	}
}

// lateProvider has counters that are connected later than what is observed, as
// the global provider has for a moment while an SDK is installed.
type (
	lateProvider struct {
		metric.MeterProvider
		connected *atomic.Bool
	}
	lateMeter struct {
		metric.Meter
		connected *atomic.Bool
	}
	lateCounter struct {
		metric.Int64Counter
		connected *atomic.Bool
	}
)

func (p lateProvider) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return lateMeter{p.MeterProvider.Meter(name, opts...), p.connected}
}

func (m lateMeter) Int64Counter(name string, opts ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	c, err := m.Meter.Int64Counter(name, opts...)
	return lateCounter{c, m.connected}, err
}

func (c lateCounter) Enabled(context.Context) bool { return c.connected.Load() }

func (c lateCounter) Add(ctx context.Context, n int64, opts ...metric.AddOption) {
	if c.connected.Load() {
		c.Int64Counter.Add(ctx, n, opts...)
	}
}

func TestCountersBeginAtZero_ConnectedLater(t *testing.T) {
	t.Parallel()
	reader, connected := sdkmetric.NewManualReader(), new(atomic.Bool)
	newCache(t, tracing.WithMeterProvider(lateProvider{
		sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), connected,
	}))
	for _, now := range []bool{false, true, true} {
		connected.Store(now)
		numbers, _ := series(t, reader)
		want := maps.Clone(begun)
		if !now {
			want = map[string]int{tracing.MetricWriteDetached: 1, tracing.MetricLoadActive: 1}
		}
		assert.Equal(t, want, numbers)
	}
}
