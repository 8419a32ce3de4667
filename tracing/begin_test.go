package tracing_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache/tracing"
)

// Before anything has happened, each series of the counters is there, at 0: a
// query for its increase finds the first event too.
func TestCountersBeginAtZero(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	newCache(t, tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	for range 2 { // the second time adds nothing
		var data metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &data))
		require.Len(t, data.ScopeMetrics, 1)
		series := map[string]int{}
		for _, m := range data.ScopeMetrics[0].Metrics {
			for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
				assert.Zero(t, point.Value, m.Name)
				series[m.Name]++
			}
		}
		assert.Equal(t, map[string]int{
			tracing.MetricInconsistencies: 2 * 3 * 2, // operations, stale tiers, resolved or not
			tracing.MetricLookups:         2 * 3,     // tiers, results
		}, series)
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
	for _, test := range []struct {
		connected bool
		metrics   int
	}{{false, 1}, {true, 2}, {true, 2}} {
		connected.Store(test.connected)
		var data metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &data))
		require.Len(t, data.ScopeMetrics, 1)
		assert.Len(t, data.ScopeMetrics[0].Metrics, test.metrics)
	}
}
