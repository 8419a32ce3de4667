package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// loadNone calls GetOrLoad with a loader that finds nothing, and returns the value if
// there is one all the same.
func (i *instance) loadNone(t *testing.T) string {
	t.Helper()
	value, err := i.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) {
		return "", backends.ErrNotFound
	})
	if err != nil {
		require.ErrorIs(t, err, backends.ErrNotFound)
		return "none"
	}
	return value
}

// That a key was not found has no stamp. So it counts only while everything is in sync,
// and is forgotten by a loss.
func TestCoherence_Negatives(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		miss func(t *testing.T, s *store, here, there *instance)
		want string
	}{
		"in sync": {func(t *testing.T, _ *store, _, there *instance) { there.set(t, "new") }, "none"},
		"overdue": {func(t *testing.T, _ *store, here, there *instance) {
			here.client.Disconnect()
			there.set(t, "new")
			time.Sleep(bound + time.Nanosecond)
		}, "new"},
		"lost": {func(t *testing.T, s *store, here, there *instance) {
			there.set(t, "new")
			s.Trim(0)
			require.True(t, here.client.Sync())
		}, "new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, s *store, here, there *instance) {
				assert.Equal(t, "none", here.loadNone(t))
				test.miss(t, s, here, there)
				assert.Equal(t, test.want, here.loadNone(t))
			}, tiercache.WithNegativeTTL(time.Hour))
		})
	}
}

// A value that is written while a load ends without one is not hidden by the memory of
// that load.
func TestCoherence_NegativeAgainstMessage(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, there *instance) {
		require.NoError(t, here.Set(t.Context(), "k", "old", time.Second))
		time.Sleep(time.Minute) // L1 keeps a stale copy, which the load removes
		require.True(t, here.client.Sync())
		gate := backendtest.NewGate()
		here.l1.Next(tier.Delete, gate.After())
		during(t, gate, func() { assert.Equal(t, "none", here.loadNone(t)) }, func() { replace(t, here, there) })
		assert.Equal(t, "new", here.loadNone(t))
	}, tiercache.WithNegativeTTL(time.Hour), tiercache.WithStaleIfError(time.Hour))
}

// An entry that L2 has no more leaves L1 when it is compared.
func TestCoherence_Evicted(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, s *store, here, _ *instance) {
		here.set(t, "v")
		s.Evict("k")
		assert.Equal(t, "v (l1)", here.read(t), "an eviction is no change")
		here.client.Lose(backends.LossDisconnected)
		require.True(t, here.client.Sync())
		assert.Equal(t, "none", here.read(t))
		_, _, ok, err := here.stamps.GetStamped(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

// L1 gets a version only where both tiers certainly have the write.
func TestCoherence_Policies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy writepolicy.Policy
		l1     backendtest.Fault
		want   []string
	}{
		"sequential":                 {writepolicy.Sequential(), nil, []string{"v (l1)"}},
		"L2 first":                   {writepolicy.Sequential(writepolicy.L2First), nil, []string{"v (l1)"}},
		"L2 first, and L1 refuses":   {writepolicy.Sequential(writepolicy.L2First), backendtest.FailBefore(errDown), []string{"v (l2)", "v (l1)"}},
		"parallel":                   {writepolicy.Parallel(), nil, []string{"v (l1)"}},
		"optimistic, and L1 refuses": {writepolicy.OptimisticParallel(), backendtest.FailBefore(errDown), []string{"v (l2)", "v (l1)"}},
		"race":                       {writepolicy.Race(), nil, []string{"v (l1)"}},
		"write around":               {writepolicy.WriteAround(), nil, []string{"v (l2)", "v (l1)"}},
		"a custom one": {writepolicy.PolicyFunc(func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
			if err := l2.Write(ctx); err != nil {
				return err
			}
			return l1.Write(ctx)
		}), nil, []string{"v (l1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, _ *store, here, _ *instance) {
				here.l1.Next(tier.Set, test.l1)
				here.set(t, "v")
				time.Sleep(time.Nanosecond) // detached calls have ended
				for _, want := range test.want {
					assert.Equal(t, want, here.read(t))
				}
				require.True(t, here.client.Sync())
				assert.Equal(t, "v (l1)", here.read(t), "its own message changes nothing")
				require.NoError(t, here.Delete(t.Context(), "k"))
				require.True(t, here.client.Sync())
				assert.Equal(t, "none", here.read(t))
			}, tiercache.WithWritePolicy(test.policy))
		})
	}
}

// Conditional writes and updates give L1 the version that L2 has decided on.
func TestCoherence_ConditionalWrites(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, there *instance) {
		_, stored, err := here.SetIfAbsent(t.Context(), "k", "v1", 0)
		require.NoError(t, err)
		assert.True(t, stored)
		assert.Equal(t, "v1 (l1)", here.read(t))
		assert.Equal(t, "v1 (l2)", there.read(t))
		value, err := there.Update(t.Context(), "k", 0, func(old string, _ bool) (string, error) { return old + "+", nil })
		require.NoError(t, err)
		assert.Equal(t, "v1+", value)
		assert.Equal(t, "v1+ (l1)", there.read(t))
		require.True(t, here.client.Sync())
		assert.Equal(t, "v1+ (l2)", here.read(t))
		_, stored, err = here.SetIfAbsent(t.Context(), "k", "v2", 0)
		require.NoError(t, err)
		assert.False(t, stored)
		assert.Equal(t, "v1+ (l1)", here.read(t), "it has read the winner")
	})
}
