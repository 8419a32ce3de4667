package tiercache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// count makes one hit in each tier, one miss, one load, and two inconsistencies, of which
// one is resolved.
func count(t *testing.T, f *fixture) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, f.Set(ctx, "a", "1", time.Hour))
	for range 2 { // in L1; then, once L1 has evicted it, in L2
		_, ok, err := f.Get(ctx, "a")
		require.NoError(t, err)
		require.True(t, ok)
		require.NoError(t, f.L1.Delete(ctx, "a"))
	}
	_, ok, err := f.Get(ctx, "b")
	require.NoError(t, err)
	require.False(t, ok)
	_, err = f.GetOrLoad(ctx, "c", time.Hour, returns("3", nil))
	require.NoError(t, err)

	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused)) // L1's copy is dropped: resolved
	require.ErrorIs(t, f.Set(ctx, "a", "2", time.Hour), errRefused)
	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
	f.L1.Next(tier.Delete, backendtest.FailBefore(errRefused))
	require.ErrorIs(t, f.Set(ctx, "a", "3", time.Hour), tiercache.ErrInconsistent)
}

func TestStats(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	f := newFixture(t, append(rec.Options(), tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.InvalidateL1())))...)
	assert.Equal(t, "users", f.Name())
	assert.Equal(t, tiercache.Stats{Counted: true}, f.Stats())
	count(t, f)
	assert.Equal(t, tiercache.Stats{
		Counted:                 true,
		L1:                      tiercache.Lookups{Hits: 1, Misses: 3},
		L2:                      tiercache.Lookups{Hits: 1, Misses: 2},
		Reads:                   tiercache.Reads{Hits: 2, Misses: 1, Loads: 1},
		Inconsistencies:         1,
		ResolvedInconsistencies: 1,
	}, f.Stats())
}

func TestStats_WithoutMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tiercache.WithTelemetry(tracing.WithMeterProvider(metricnoop.NewMeterProvider())),
		tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.InvalidateL1())))
	count(t, f)
	assert.Equal(t, tiercache.Stats{}, f.Stats())
}
