package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// unsure is a client that has an estimate of its store's clock.
type unsure struct {
	*backendtest.Client[string]
	within time.Duration
	knows  bool
	panics bool
}

func (u *unsure) StoreTime() (now time.Time, within time.Duration, ok bool) {
	if u.panics {
		panic("v")
	}
	now, _, _ = u.Client.StoreTime()
	return now, u.within, u.knows
}

// The estimate of L2's clock is visible, in seconds, while there is one.
func TestCoherence_ClockIsVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := backendtest.NewStore[string]()
		s.Advance(-3 * time.Second)
		l2 := &unsure{Client: s.Client(), within: 20 * time.Millisecond}
		reader := sdkmetric.NewManualReader()
		cache, err := tiercache.New("users", backendtest.NewMap[string](), l2,
			tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithTelemetry(
				tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))), tracing.Disabled()))
		require.NoError(t, err)
		<-l2.Watched()
		require.True(t, l2.Sync())
		clock := func() (values []float64) {
			return append(gauges(t, reader, tracing.MetricClockOffset), gauges(t, reader, tracing.MetricClockUncertainty)...)
		}

		assert.Empty(t, clock(), "nothing is known of the clock")
		l2.knows = true
		assert.Equal(t, []float64{-3, 0.02}, clock())
		l2.panics = true
		assert.Empty(t, clock())
		l2.panics = false
		require.NoError(t, cache.Close(t.Context()))
		assert.Empty(t, clock(), "the cache is closed")
	})
}

// gauges returns the values of all series of a gauge.
func gauges(t *testing.T, reader sdkmetric.Reader, metric string) (values []float64) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if points, ok := m.Data.(metricdata.Gauge[float64]); ok && m.Name == metric {
				for _, p := range points.DataPoints {
					values = append(values, p.Value)
				}
			}
		}
	}
	return values
}
