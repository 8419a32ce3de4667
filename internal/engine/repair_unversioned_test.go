package engine_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// unversioned runs a test with a cache that has no coherence, and whose L1 drops its copy of
// a key that diverges. Both tiers have the value "old" at first.
func unversioned(t *testing.T, test func(t *testing.T, i *instance, r *resolutions)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := new(resolutions)
		i := &instance{stamps: backendtest.NewMap[string](), client: backendtest.NewStore[string]().Client()}
		i.l1, i.l2 = backendtest.WithFaults[string](i.stamps), backendtest.WithFaults[string](i.client)
		var err error
		i.Cache, err = tiercache.New("users", i.l1, i.l2, tiercache.WithDropDiverged(),
			tiercache.WithWritePolicy(writepolicy.Parallel()),
			tiercache.WithTelemetry(tracing.Disabled(), tracing.WithSlog(slog.New(r))))
		require.NoError(t, err)
		i.set(t, "old")
		test(t, i, r)
		i.close(t)
	})
}

// An event ends with the one drop of L1's copy, at once.
func TestRepair_UnversionedDropsOnce(t *testing.T) {
	t.Parallel()
	unversioned(t, func(t *testing.T, i *instance, r *resolutions) {
		i.l2.Next(tier.Set, refuse)
		require.Error(t, i.Set(t.Context(), "k", "new", time.Hour))
		synctest.Wait()
		assert.Equal(t, []string{"dropped"}, r.take())
		assert.Equal(t, 1, i.l1.Calls(tier.Delete))
		assert.Equal(t, "old (l2)", i.read(t))
		assert.Equal(t, "old (l1)", i.read(t), "a key that is not open is refilled")
	})
}

// While L1 fails to drop its copy, the key stays open, and no read stores anything there.
func TestRepair_UnversionedL1Fails(t *testing.T) {
	t.Parallel()
	unversioned(t, func(t *testing.T, i *instance, r *resolutions) {
		i.l1.Always(tier.Delete, refuse)
		i.l2.Next(tier.Set, refuse)
		require.Error(t, i.Set(t.Context(), "k", "new", time.Hour))
		synctest.Wait()
		assert.Equal(t, []string{"stale"}, i.open())
		value, _, err := i.Get(t.Context(), "k", tiercache.SkipL1())
		require.NoError(t, err)
		assert.Equal(t, "old", value)
		assert.Equal(t, "new", i.stamps.Snapshot()["k"].Value, "no refill")
		i.l1.Clear()
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"dropped"}, r.take())
		assert.Empty(t, i.open())
		assert.Empty(t, i.stamps.Snapshot())
	})
}

// A request that was lost may arrive until twice the timeout has passed. No refill of L1
// comes before it.
func TestRepair_UnversionedWaitsForLostRequests(t *testing.T) {
	t.Parallel()
	unversioned(t, func(t *testing.T, i *instance, r *resolutions) {
		i.l2.Next(tier.Set, backendtest.Lose(lostAnswerError{}))
		require.Error(t, i.Set(t.Context(), "k", "new", time.Hour))
		time.Sleep(2*tiercache.DefaultWriteTimeout - 1)
		assert.Equal(t, []string{"unknown"}, i.open())
		assert.Equal(t, "old (l2)", i.read(t))
		assert.Equal(t, "old (l2)", i.read(t))
		time.Sleep(time.Second)
		assert.Equal(t, []string{"dropped"}, r.take())
		assert.Equal(t, "old (l2)", i.read(t))
		assert.Equal(t, "old (l1)", i.read(t))
	})
}

// lostAnswerError is an error after which nobody knows whether the store has the write.
type lostAnswerError struct{}

func (lostAnswerError) Error() string { return "the connection was lost" }

// A cache that repairs nothing has nothing to repair.
func TestRepair_Off(t *testing.T) {
	t.Parallel()
	cache, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string]())
	require.NoError(t, err)
	require.NoError(t, cache.Repair(t.Context(), "k"))
	require.NoError(t, cache.Close(t.Context()))
}
