package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// books returns the sums of the metrics of the ledger, and how many series they have.
func books(t *testing.T, reader sdkmetric.Reader) (opened, closed, open int64, series int) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.WithoutCancel(t.Context()), &data))
	sums := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch m.Name {
			case tracing.MetricLedgerAdditions, tracing.MetricRepairs, tracing.MetricLedgerEntries:
				for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
					sums[m.Name] += p.Value
					series++
				}
			}
		}
	}
	return sums[tracing.MetricLedgerAdditions], sums[tracing.MetricRepairs], sums[tracing.MetricLedgerEntries], series
}

// While one reader collects, events begin and another reader collects them. In each
// collection, the events opened less those closed are those open.
func TestRepairMetrics_TwoReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two := sdkmetric.NewManualReader(), sdkmetric.NewManualReader()
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(one), sdkmetric.WithReader(two))
		i := newInstance(t, backendtest.NewStore[string](), tiercache.WithTelemetry(tracing.Disabled(), tracing.WithMeterProvider(provider)))
		i.down()
		fail := func(key string) { require.Error(t, i.Delete(t.Context(), key)) }
		during := func() {
			fail("during")
			opened, closed, open, _ := books(t, two)
			assert.Equal(t, []int64{2, 0, 2}, []int64{opened, closed, open})
		}
		meter := provider.Meter("test")
		gauge, err := meter.Int64ObservableGauge("gauge")
		require.NoError(t, err)
		_, err = meter.RegisterCallback(func(context.Context, metric.Observer) error { // it is called after those of the cache
			do := during
			during = func() {}
			do()
			return nil
		}, gauge)
		require.NoError(t, err)

		fail("before")
		opened, closed, open, _ := books(t, one)
		assert.Equal(t, []int64{1, 0, 1}, []int64{opened, closed, open})

		require.ErrorIs(t, i.Close(t.Context()), tiercache.ErrDiverged)
		for range 2 {
			opened, closed, open, _ = books(t, one)
			assert.Equal(t, []int64{2, 0, 2}, []int64{opened, closed, open}, "the last state")
		}
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		_, _, _, series := books(t, one)
		assert.Zero(t, series)
	})
}
