package engine_test

import (
	"context"
	"strconv"
	"sync/atomic"
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

// outdate gives L1 so many entries that are older than L2's, and stamped as fresh.
func outdate(t *testing.T, here, there *instance, entries int) {
	t.Helper()
	for i := range entries {
		key := strconv.Itoa(i)
		require.NoError(t, here.Set(t.Context(), key, "old", 0))
		_, stamp, _, err := here.stamps.GetStamped(t.Context(), key)
		require.NoError(t, err)
		require.NoError(t, there.Set(t.Context(), key, "new", 0))
		require.True(t, here.client.Sync())
		require.NoError(t, here.stamps.SetStamped(t.Context(), key, backends.Entry[string]{Value: "old"}, stamp))
	}
}

// One pass remembers so many entries that differed, and the next one finds the others.
func TestScrubber_ManyDiffer(t *testing.T) {
	t.Parallel()
	scrubbed(t, 10_000, func(t *testing.T, _ *store, here, there *instance, reader sdkmetric.Reader) {
		const most, entries = 1024, 1100
		outdate(t, here, there, entries)
		here.beat(t, 2*bound+bound/2)
		synctest.Wait()
		assert.EqualValues(t, most, scrubs(t, reader)["stale"])
		here.beat(t, 3*bound)
		synctest.Wait()
		assert.EqualValues(t, entries, scrubs(t, reader)["stale"])
	})
}

// Of several entries that differed, each is decided on alone.
func TestScrubber_SomeReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	scrubbed(t, 100, func(t *testing.T, _ *store, here, there *instance, reader sdkmetric.Reader) {
		const entries = 20
		outdate(t, here, there, entries)
		here.beat(t, bound+bound/2)
		for i := range entries / 2 {
			require.NoError(t, here.Set(t.Context(), strconv.Itoa(2*i), "newest", 0))
		}
		here.beat(t, 3*bound)
		synctest.Wait()
		results := scrubs(t, reader)
		assert.EqualValues(t, entries/2, results["lagging"])
		assert.EqualValues(t, entries/2, results["stale"])
	})
}

// Entries that L1 would not return as fresh are not compared: L2 is not asked for them, nor
// after Close.
func TestScrubber_LeavesL2Alone(t *testing.T) {
	t.Parallel()
	scrubbed(t, 1, func(t *testing.T, _ *store, here, _ *instance, _ sdkmetric.Reader) {
		for i := range 20 {
			require.NoError(t, here.Set(t.Context(), strconv.Itoa(i), "v", 0))
		}
		here.beat(t, 4*time.Second)
		synctest.Wait()
		asked := here.l2.Calls(tier.Get)
		assert.Positive(t, asked)
		time.Sleep(bound + time.Second) // it is not in sync any more
		synctest.Wait()
		asked = here.l2.Calls(tier.Get)
		time.Sleep(5 * time.Second)
		assert.Equal(t, asked, here.l2.Calls(tier.Get))
		here.beat(t, 2*time.Second)
		synctest.Wait()
		asked = here.l2.Calls(tier.Get)
		here.close(t)
		assert.Equal(t, asked, here.l2.Calls(tier.Get))
	})
}

// sloppy is an L1 that returns the stamp of an entry that it has no more.
type sloppy struct {
	*backendtest.Map[string]
	gone atomic.Bool
}

func (s *sloppy) GetStamped(ctx context.Context, key string) (entry backends.Entry[string], stamp backends.Stamp, ok bool, err error) {
	entry, stamp, ok, err = s.Map.GetStamped(ctx, key)
	return entry, stamp, ok && !s.gone.Load(), err
}

// An entry that differed, and that L1 has evicted since, is no alarm.
func TestScrubber_EvictedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, reader, l1 := backendtest.NewStore[string](), sdkmetric.NewManualReader(), &sloppy{Map: backendtest.NewMap[string]()}
		here, there := &instance{stamps: l1.Map, client: s.Client()}, newInstance(t, s)
		var err error
		here.Cache, err = tiercache.New("users", l1, here.client, tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithScrubber(100),
			tiercache.WithTelemetry(tracing.Disabled(), tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))))
		require.NoError(t, err)
		<-here.client.Watched()
		require.True(t, here.client.Sync())
		synctest.Wait()
		outdate(t, here, there, 1)
		here.beat(t, bound+bound/2)
		l1.gone.Store(true)
		here.beat(t, bound)
		synctest.Wait()
		results := scrubs(t, reader)
		assert.EqualValues(t, 1, results["lagging"])
		assert.Zero(t, results["stale"])
		there.close(t)
		here.close(t)
	})
}
