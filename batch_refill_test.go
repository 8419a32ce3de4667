package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// endings are a context that ends and one that does not: refills go another way in each.
func endings(t *testing.T) map[string]context.Context {
	t.Helper()
	return map[string]context.Context{"with an end": t.Context(), "without an end": context.WithoutCancel(t.Context())}
}

// A batch of reads refills L1 as single reads do, whatever the options.
func TestGetMany_Refill(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opt    tiercache.Option
		l1     string
		expiry time.Duration
	}{
		"default":          {nil, "k0a", time.Hour},
		"never":            {tiercache.WithRefill(tiercache.RefillNever), "", 0},
		"a limit":          {tiercache.WithMaxRefillTTL(time.Second), "k0a", time.Second},
		"a limit in L1":    {tiercache.WithL1TTL(2*time.Second, 0), "k0a", 2 * time.Second},
		"stale for a time": {tiercache.WithStaleIfError(time.Hour), "k0a", 2 * time.Hour},
	} {
		for ends := range endings(t) {
			t.Run(name+", "+ends, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					n := newNode(t, test.opt)
					expiresAt := time.Now().Add(time.Hour).Round(0)
					require.NoError(t, n.l2.Set(t.Context(), "k0", backends.Entry[string]{Value: "k0a", ExpiresAt: expiresAt}))
					got, err := n.GetMany(endings(t)[ends], keysOf(2))
					require.NoError(t, err)
					assert.Equal(t, []tiercache.Found[string]{{Value: "k0a", OK: true}, {}}, got)
					l1 := n.map1.Snapshot()["k0"]
					require.Equal(t, test.l1, l1.Value)
					if l1.Value != "" {
						assert.Equal(t, test.expiry, time.Until(l1.ExpiresAt))
					}
				})
			})
		}
	}
}

// Where both tiers are asked, L1's fresher entry is the answer, and stays.
func TestGetMany_ParallelL1IsFresher(t *testing.T) {
	t.Parallel()
	n := newNode(t, tiercache.WithReadPolicy(readpolicy.Parallel()))
	soon, later := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
	require.NoError(t, n.map1.Set(t.Context(), "k0", backends.Entry[string]{Value: "l1", ExpiresAt: later}))
	require.NoError(t, n.l2.Set(t.Context(), "k0", backends.Entry[string]{Value: "l2", ExpiresAt: soon}))
	got, err := n.GetMany(t.Context(), []string{"k0"})
	require.NoError(t, err)
	assert.Equal(t, "l1", got[0].Value)
	assert.Equal(t, "l1", n.map1.Snapshot()["k0"].Value)
}

// A refill that L1 refuses fails nobody, and the keys behind it are refilled.
func TestGetMany_RefillRefused(t *testing.T) {
	t.Parallel()
	for name, ctx := range endings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			require.NoError(t, n.SetMany(t.Context(), valued(keysOf(2), "a"), 0))
			for _, key := range keysOf(2) {
				require.NoError(t, n.map1.Delete(t.Context(), key))
			}
			n.l1.Next(tier.Set, backendtest.FailBefore(errRefused))
			got, err := n.GetMany(ctx, keysOf(2))
			require.NoError(t, err)
			assert.Equal(t, "k0a", got[0].Value)
			l1, _ := n.holds("k0")
			assert.Empty(t, l1)
			l1, _ = n.holds("k1")
			assert.Equal(t, "k1a", l1)
			require.NoError(t, n.Set(t.Context(), "k0", "b", 0), "its lock is free")
		})
	}
}

// While a key is open, L1 does not get L2's copy back, also by a batch.
func TestGetMany_OpenKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, tiercache.WithDropDiverged())
		require.NoError(t, n.SetMany(t.Context(), valued(keysOf(2), "a"), 0))
		n.l2.Next(tier.Set, backendtest.FailBefore(errRefused))
		n.l1.Always(tier.Delete, backendtest.FailBefore(errRefused))
		require.Error(t, n.Set(t.Context(), "k0", "b", 0))
		require.NoError(t, n.map1.Delete(t.Context(), "k0"), "as when it is evicted")
		require.NoError(t, n.map1.Delete(t.Context(), "k1"))
		require.Equal(t, 1, n.Status().Repair.Open)
		got, err := n.GetMany(t.Context(), keysOf(2))
		require.NoError(t, err)
		assert.Equal(t, "k0a", got[0].Value, "nobody knows better")
		l1, _ := n.holds("k0")
		assert.Empty(t, l1)
		l1, _ = n.holds("k1")
		assert.Equal(t, "k1a", l1)
		n.l1.Clear()
		<-time.After(time.Minute)
		assert.Zero(t, n.Status().Repair.Open, "L1 has dropped its copy")
	})
}

// A batch whose refill was overtaken by a newer one does not replace that, nor return the
// older value.
func TestGetMany_RefillAgainstRefill(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	require.NoError(t, there.Set(t.Context(), "k", row{"old", 1}, 0))
	l2 := backendtest.WithFaults[row](here.l2)
	c, err := tiercache.New("users", here.l1, l2, byVersion())
	require.NoError(t, err)
	l2.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
		err := next(ctx)
		assert.NoError(t, there.Set(ctx, "k", row{"new", 2}, 0))
		_, _, failed := c.Get(t.Context(), "k", tiercache.SkipL1()) // fills L1
		assert.NoError(t, failed)
		return err
	})
	got, err := c.GetMany(t.Context(), []string{"k"})
	require.NoError(t, err)
	assert.Equal(t, row{"new", 2}, got[0].Value, "not older than what others have got before")
	value, _ := here.inL1("k")
	assert.Equal(t, row{"new", 2}, value)
	require.NoError(t, c.Close(t.Context()))
}

// While L1 stores an entry of a batch, the context that it gets does not end, and a write of
// the key by it is refused, because that would wait for itself.
func TestGetMany_RefillHoldsTheKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		require.NoError(t, n.SetMany(t.Context(), valued(keysOf(2), "a"), 0))
		for _, key := range keysOf(2) {
			require.NoError(t, n.map1.Delete(t.Context(), key))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var kept context.Context
		n.l1.Next(tier.Set, func(inner context.Context, next func(context.Context) error) error {
			cancel()
			assert.NoError(t, inner.Err())
			kept = inner //nolint:fatcontext // as a backend may
			bounded, stop := context.WithTimeout(inner, time.Second)
			defer stop()
			err := n.Set(bounded, "k0", "inner", 0)
			assert.Error(t, err)
			assert.NotErrorIs(t, err, context.DeadlineExceeded)
			got, err := n.GetMany(bounded, []string{"k0"})
			assert.NoError(t, err)
			assert.Equal(t, "k0a", got[0].Value)
			assert.NoError(t, bounded.Err(), "it does not wait for the refill that it is made in")
			assert.NoError(t, n.Set(bounded, "k1", "b", 0), "another key of the batch is free")
			return next(inner)
		})
		_, err := n.GetMany(ctx, keysOf(2))
		require.NoError(t, err)
		require.NoError(t, n.map1.Delete(t.Context(), "k0"))
		_, _, err = n.Get(kept, "k0")
		require.NoError(t, err)
		l1, _ := n.holds("k0")
		assert.Equal(t, "k0a", l1, "the first refill is over, so another may begin by its context")
	})
}

// A batch that refills L1 ends the time in which L1 has a value that L2 did not take.
func TestGetMany_RefillAfterKeepLoaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, tiercache.WithKeepLoaded(time.Minute), tiercache.WithWritePolicy(writepolicy.WriteAround()))
		n.l2.Always(tier.Set, backendtest.FailBefore(errRefused))
		load, _ := counting()
		_, _ = n.GetOrLoad(t.Context(), "k0", time.Hour, load)
		entry, _, err := n.GetEntry(t.Context(), "k0")
		require.NoError(t, err)
		require.True(t, entry.Kept)
		n.l2.Clear()
		require.NoError(t, n.map1.Delete(t.Context(), "k0"), "as when it is evicted")
		require.NoError(t, n.l2.Set(t.Context(), "k0", backends.Entry[string]{Value: "of another process"}))
		_, err = n.GetMany(t.Context(), []string{"k0"})
		require.NoError(t, err)
		entry, _, err = n.GetEntry(t.Context(), "k0")
		require.NoError(t, err)
		assert.Equal(t, tier.L1, entry.Tier)
		assert.False(t, entry.Kept)
	})
}
