package engine_test

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// scrubs returns the results of all checks.
func scrubs(t *testing.T, reader sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	results := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != tracing.MetricScrubChecks {
				continue
			}
			for _, p := range sum.DataPoints {
				if result, ok := p.Attributes.Value(tracing.AttrScrubResult); ok && p.Value > 0 {
					results[result.AsString()] += p.Value
				}
			}
		}
	}
	return results
}

// scrubbed runs a test with an instance that is scrubbed so many times a second.
func scrubbed(t *testing.T, rate int, test func(t *testing.T, s *store, here, there *instance, reader sdkmetric.Reader)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, reader := backendtest.NewStore[string](), sdkmetric.NewManualReader()
		here := newInstance(t, s, tiercache.WithScrubber(rate), tiercache.WithTelemetry(tracing.Disabled(),
			tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))))
		there := newInstance(t, s)
		synctest.Wait() // the first pass has found nothing
		test(t, s, here, there, reader)
		there.close(t)
		here.close(t)
	})
}

// beat keeps an instance in sync for a time.
func (i *instance) beat(t *testing.T, d time.Duration) {
	t.Helper()
	for range d / (250 * time.Millisecond) {
		time.Sleep(250 * time.Millisecond)
		require.True(t, i.client.Sync())
	}
}

// An entry that is wrong is found in one pass, and dropped; L2 moves no value for the
// others.
func TestScrubber(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stamp func(s *backends.Stamp)
		want  string
	}{
		"stale":     {func(*backends.Stamp) {}, "stale"},
		"regressed": {func(s *backends.Stamp) { s.Version += 1000 }, "regressed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scrubbed(t, 100, func(t *testing.T, _ *store, here, there *instance, reader sdkmetric.Reader) {
				here.set(t, "old")
				stamp := here.stamp(t)
				there.set(t, "new")
				for i := range 50 {
					require.NoError(t, here.Set(t.Context(), strconv.Itoa(i), "v", 0))
				}
				require.True(t, here.client.Sync())
				test.stamp(&stamp)
				require.NoError(t, here.stamps.SetStamped(t.Context(), "k", backends.Entry[string]{Value: "old"}, stamp))
				require.Equal(t, "old (l1)", here.read(t), "nobody else would notice")
				moved := here.moves.moved.Load()
				here.beat(t, 3*time.Second)
				synctest.Wait()
				results := scrubs(t, reader)
				assert.EqualValues(t, 1, results[test.want])
				assert.Positive(t, results["match"])
				assert.Len(t, results, 2)
				assert.LessOrEqual(t, here.moves.moved.Load()-moved, int64(1))
				assert.Equal(t, "new (l2)", here.read(t))
			})
		})
	}
}

// An entry that differed, and that a write has replaced before it is looked at again, is no
// alarm.
func TestScrubber_ReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	scrubbed(t, 100, func(t *testing.T, _ *store, here, there *instance, reader sdkmetric.Reader) {
		here.set(t, "old")
		stamp := here.stamp(t)
		there.set(t, "new")
		require.True(t, here.client.Sync())
		require.NoError(t, here.stamps.SetStamped(t.Context(), "k", backends.Entry[string]{Value: "old"}, stamp))
		here.beat(t, bound+bound/2) // a pass begins every bound
		here.set(t, "newest")
		here.beat(t, 3*bound)
		synctest.Wait()
		results := scrubs(t, reader)
		assert.EqualValues(t, 1, results["lagging"])
		assert.Zero(t, results["stale"])
		assert.Equal(t, "newest (l1)", here.read(t))
	})
}

// envScrubs is the number of checks; 100,000 if it is not set.
const envScrubs = "TIERCACHE_SCRUBS"

// Writes of others, of which L1 learns in time, are no alarm, nor is an eviction.
func TestScrubber_NoFalseAlarms(t *testing.T) {
	t.Parallel()
	checks := int64(100_000)
	if s := os.Getenv(envScrubs); s != "" {
		var err error
		checks, err = strconv.ParseInt(s, 10, 64)
		require.NoError(t, err)
	}
	const entries = 5000
	scrubbed(t, 20*entries, func(t *testing.T, s *store, here, there *instance, reader sdkmetric.Reader) {
		for i := range entries {
			require.NoError(t, here.Set(t.Context(), strconv.Itoa(i), "first", 0))
		}
		all := int64(0)
		for round := 0; all < checks; round++ {
			for i := range 100 {
				disturb(t, s, here, there, i, strconv.Itoa((100*round+i)%entries))
			}
			all = 0
			for _, n := range scrubs(t, reader) {
				all += n
			}
		}
		here.beat(t, 2*time.Second)
		results := scrubs(t, reader)
		t.Log(results)
		assert.Positive(t, results["match"])
		assert.Positive(t, results["lagging"])
		assert.Positive(t, results["absent"])
		assert.Zero(t, results["stale"]+results["regressed"])
	})
}

// disturb makes one of several changes of a key, and lets some time pass.
func disturb(t *testing.T, s *store, here, there *instance, i int, key string) {
	t.Helper()
	switch i % 7 {
	case 0:
		require.NoError(t, there.Set(t.Context(), key, "theirs", 0))
	case 1:
		require.NoError(t, here.Set(t.Context(), key, "ours", 0))
	case 2:
		require.NoError(t, there.Delete(t.Context(), key))
	case 3:
		s.Evict(key)
	case 4:
		here.l2.Next(tier.Set, refuse)
		_ = here.Set(t.Context(), key, "refused", 0)
	default:
		_, _, err := here.Get(t.Context(), key)
		require.NoError(t, err)
	}
	time.Sleep(30 * time.Millisecond)
	if i%10 == 0 {
		here.client.Sync()
	}
}

func TestScrubber_Options(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]tiercache.Option{
		{tiercache.WithScrubber(10)},
		{tiercache.WithScrubber(0), tiercache.WithCoherence(bound, tiercache.AskL2)},
		{tiercache.WithScrubber(-1), tiercache.WithCoherence(bound, tiercache.AskL2)},
		{tiercache.WithDropDiverged(), tiercache.WithKeepLoaded(time.Second)},
	} {
		_, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewStore[string]().Client(), opts...)
		require.ErrorIs(t, err, tiercache.ErrInvalid)
	}
}
