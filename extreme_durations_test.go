package tiercache_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// until2262 is an L1 that keeps expiries as Unix time in nanoseconds, as adapters do.
type until2262 struct{ *backendtest.Map[string] }

func (m until2262) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	return m.Map.Set(ctx, key, m.within(entry))
}

func (m until2262) SetStamped(ctx context.Context, key string, entry backends.Entry[string], stamp backends.Stamp) error {
	return m.Map.SetStamped(ctx, key, m.within(entry), stamp)
}

func (m until2262) within(entry backends.Entry[string]) backends.Entry[string] {
	if last := time.Unix(0, math.MaxInt64); entry.ExpiresAt.After(last) {
		entry.ExpiresAt = last
	}
	return entry
}

// The greatest duration means "for ever" to those who use it. No sum of it overflows.
func TestGreatestDurations(t *testing.T) {
	t.Parallel()
	const forever = time.Duration(math.MaxInt64)
	for name, ttl := range map[string]time.Duration{"a TTL": time.Hour, "no TTL": 0, "the greatest TTL": forever} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := backendtest.NewStore[string]()
				l1, l2 := backendtest.WithFaults[string](until2262{backendtest.NewMap[string]()}), store.Client()
				c, err := tiercache.New("users", l1, backendtest.WithFaults[string](l2), tiercache.WithTelemetry(tracing.Disabled()),
					tiercache.WithCoherence(forever, tiercache.AskL2), tiercache.WithWriteTimeout(forever), tiercache.WithReadTimeout(forever),
					tiercache.WithBackgroundTimeout(forever), tiercache.WithL1TTL(forever, 0.05), tiercache.WithNegativeTTL(forever),
					tiercache.WithStaleIfError(forever), tiercache.WithStaleIfSlow(forever), tiercache.WithMaxRefillTTL(forever),
					tiercache.WithKeepLoaded(forever), tiercache.WithConditionalLoads(), tiercache.WithRefreshAhead(0.9))
				require.NoError(t, err)
				<-l2.Watched()
				require.True(t, l2.Sync())
				require.NoError(t, c.Set(t.Context(), "k", "v", ttl))
				assert.Equal(t, backends.Hit, store.Remembers("k").Found)
				before := l1.Calls(tier.Get)
				time.Sleep(time.Second)
				load, loads := counting()
				for range 2 {
					value, err := c.GetOrLoad(t.Context(), "k", ttl, load)
					require.NoError(t, err)
					assert.Equal(t, "v", value)
					synctest.Wait()
				}
				assert.Equal(t, before+2, l1.Calls(tier.Get))
				assert.True(t, c.Status().Coherence.Trusted)
				assert.Zero(t, *loads)
				entry, ok, err := c.GetEntry(t.Context(), "k")
				require.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, tier.L1, entry.Tier)
				require.NoError(t, c.Delete(t.Context(), "k"))
				assert.Equal(t, backends.Miss, store.Remembers("k").Found)
				require.NoError(t, c.Close(t.Context()))
			})
		})
	}
}

// A store whose last expiry comes sooner than the end of the TTL does not make each hit a refresh.
func TestRefreshAhead_OfTheGreatestTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := tiercache.New("users", until2262{backendtest.NewMap[string]()}, backendtest.NewMap[string](),
			tiercache.WithRefreshAhead(0.9))
		require.NoError(t, err)
		load, loads := counting()
		for range 3 {
			_, err := c.GetOrLoad(t.Context(), "k", math.MaxInt64, load)
			require.NoError(t, err)
			synctest.Wait()
		}
		assert.Equal(t, 1, *loads)
		require.NoError(t, c.Close(t.Context()))
	})
}
