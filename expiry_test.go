package tiercache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/writepolicy"
)

// An entry expires in L1 before it does in L2, and L1 gets it again with its remaining
// TTL.
func TestL1TTL_RefillKeepsTheRemainingTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithL1TTL(time.Minute, 0))
		begin := time.Now()
		require.NoError(t, f.Set(t.Context(), "k", "v", 90*time.Second))
		assert.Equal(t, time.Minute, f.Map1.Snapshot()["k"].ExpiresAt.Sub(begin))
		assert.Equal(t, 90*time.Second, f.Map2.Snapshot()["k"].ExpiresAt.Sub(begin))

		time.Sleep(70 * time.Second)
		value, ok, err := f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "v", value)
		assert.Equal(t, 90*time.Second, f.Map1.Snapshot()["k"].ExpiresAt.Sub(begin), "the remaining TTL, not a new one")

		time.Sleep(20 * time.Second)
		_, ok, err = f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok)

		require.NoError(t, f.Set(t.Context(), "k", "v", time.Hour))
		time.Sleep(70 * time.Second)
		_, _, err = f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, time.Minute, time.Until(f.Map1.Snapshot()["k"].ExpiresAt), "L1 keeps a refill no longer than a Set")
		require.NoError(t, f.Close(t.Context()))
	})
}

func TestL1Jitter_SpreadsExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithL1TTL(time.Minute, 0.5))
		ttls := make(map[time.Duration]bool)
		for range 50 {
			require.NoError(t, f.Set(t.Context(), "k", "v", 0))
			ttl := time.Until(f.Map1.Snapshot()["k"].ExpiresAt)
			assert.LessOrEqual(t, ttl, time.Minute)
			assert.Greater(t, ttl, 30*time.Second)
			ttls[ttl] = true
		}
		assert.Greater(t, len(ttls), 10)
		require.NoError(t, f.Close(t.Context()))
	})
}

// When a newer value expires in L1, an older one does not come back.
func TestExpiryBringsNothingBack(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		f := newFixture(t, tiercache.WithWritePolicy(p))
		require.NoError(t, f.Set(t.Context(), "k", "older", time.Hour))
		require.NoError(t, f.Set(t.Context(), "k", "newer", time.Minute))
		time.Sleep(2 * time.Minute)
		_, ok, err := f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok)
		require.NoError(t, f.Close(t.Context()))
	})
}
