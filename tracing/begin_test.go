package tracing_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
