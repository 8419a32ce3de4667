package tiercache_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// conditionalNode is a node whose loads are conditional.
func conditionalNode(t *testing.T, opts ...tiercache.Option) node {
	t.Helper()
	return newNode(t, append(opts, tiercache.WithConditionalLoads())...)
}

// load loads "old" while another process makes the change.
func (n node) load(t *testing.T, change func(other *backendtest.Client[string]), opts ...tiercache.ReadOption) {
	t.Helper()
	got, err := n.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context, string) (string, error) {
		change(n.store.Client())
		return "old", nil
	}, opts...)
	require.NoError(t, err)
	assert.Equal(t, "old", got)
}

// inTiers returns the values at "k" in both tiers; "" is none.
func (n node) inTiers() [2]string {
	l1, l2 := n.holds("k")
	return [2]string{l1, l2}
}

var inNeither, inBoth = [2]string{}, [2]string{"old", "old"}

func deletes(t *testing.T) func(*backendtest.Client[string]) {
	t.Helper()
	return func(other *backendtest.Client[string]) { assert.NoError(t, other.Delete(t.Context(), "k")) }
}

// noLoads is a batch loader that must not be called.
func noLoads(t *testing.T) tiercache.BatchLoader[string] {
	t.Helper()
	return func(context.Context, []string) (map[string]string, error) {
		assert.Fail(t, "the loader was called")
		return nil, errRefused
	}
}

func changesNothing(*backendtest.Client[string]) {}

// Callers that share a load, a batch among them, share its read of L2 and its condition.
func TestConditionalLoads_Shared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T) func(*backendtest.Client[string])
		want   [2]string
	}{
		"deleted":   {deletes, inNeither},
		"unchanged": {func(*testing.T) func(*backendtest.Client[string]) { return changesNothing }, inBoth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := conditionalNode(t)
				deletes(t)(n.store.Client()) // so that a version is needed
				n.l2.Next(tier.Get, backendtest.Delay(time.Second))
				var wg sync.WaitGroup
				wg.Go(func() { n.load(t, test.change(t)) })
				synctest.Wait()
				for range 10 {
					wg.Go(func() {
						got, err := n.GetOrLoad(t.Context(), "k", time.Hour, noLoad(t))
						assert.NoError(t, err)
						assert.Equal(t, "old", got)
					})
				}
				wg.Go(func() {
					got, err := n.GetOrLoadMany(t.Context(), []string{"k"}, time.Hour, noLoads(t))
					assert.NoError(t, err)
					assert.Equal(t, "old", got[0].Value)
				})
				wg.Wait()
				assert.Equal(t, 1, n.l2.Calls(tier.Get))
				assert.Equal(t, test.want, n.inTiers())
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}

// L2 decides whatever the write policy is, also one key of a batch at a time.
func TestConditionalLoads_Policies(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		t.Helper()
		n := conditionalNode(t, tiercache.WithWritePolicy(p))
		n.load(t, deletes(t))
		assert.Equal(t, inNeither, n.inTiers())
		n.load(t, changesNothing)
		assert.Equal(t, inBoth, n.inTiers(), "and L1 follows")
		require.NoError(t, n.Set(t.Context(), "k", "set", time.Minute))
		synctest.Wait()
		assert.Equal(t, "set", n.inTiers()[1])
		n.load(t, deletes(t), tiercache.Refresh())
		assert.Equal(t, inNeither, n.inTiers())
		require.NoError(t, n.Close(t.Context()))
	})
}

// So it is with each option of reads and loads.
func TestConditionalLoads_ReadSettings(t *testing.T) {
	t.Parallel()
	for name, opts := range readSettings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := conditionalNode(t, opts...)
				check := func(want [2]string, name string) {
					t.Helper()
					synctest.Wait()
					assert.Equal(t, want, n.inTiers(), name)
				}
				n.load(t, deletes(t))
				check(inNeither, "deleted")
				n.load(t, changesNothing)
				check(inBoth, "unchanged")
				n.load(t, deletes(t), tiercache.Refresh())
				check(inNeither, "refreshed, and deleted")
				_, err := n.GetOrLoad(t.Context(), "k", 0, loads("", backends.ErrNotFound), tiercache.SkipL1())
				require.ErrorIs(t, err, backends.ErrNotFound)
				check(inNeither, "not found")
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}

// A store that takes one key at a time tells the versions to a batch too.
func TestConditionalLoads_BatchOfSingles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := backendtest.NewStore[string]()
		l1, client := backendtest.NewMap[string](), store.Client()
		desc := client.Describe()
		desc.Abilities.Batches = false
		c, err := tiercache.New("users", l1, client.Described(desc), tiercache.WithConditionalLoads())
		require.NoError(t, err)
		other := store.Client()
		for _, key := range []string{"a", "b"} {
			require.NoError(t, other.Delete(t.Context(), key))
		}
		_, err = c.GetOrLoadMany(t.Context(), []string{"a", "b"}, 0, func(ctx context.Context, _ []string) (map[string]string, error) {
			return map[string]string{"a": "1", "b": "2"}, other.Delete(ctx, "b")
		})
		require.NoError(t, err)
		assert.Equal(t, "1", store.Snapshot()["a"].Value)
		assert.NotContains(t, store.Snapshot(), "b")
		assert.Equal(t, "1", l1.Snapshot()["a"].Value)
		assert.NotContains(t, l1.Snapshot(), "b")
		require.NoError(t, c.Close(t.Context()))
	})
}

// While L2 is down, L1 keeps loaded values only if it is told to, and none that L2 refused.
func TestConditionalLoads_KeepLoaded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []tiercache.Option
		down [2]string
	}{
		"without": {nil, inNeither},
		"with":    {[]tiercache.Option{tiercache.WithKeepLoaded(5 * time.Second)}, [2]string{"old", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := conditionalNode(t, test.opts...)
				n.l2.Always(tier.Get, backendtest.FailBefore(errRefused))
				n.l2.Always(tier.Set, backendtest.FailBefore(errRefused))
				n.load(t, changesNothing)
				assert.Equal(t, test.down, n.inTiers())
				time.Sleep(6 * time.Second)
				n.l2.Clear()
				n.load(t, deletes(t))
				assert.Equal(t, inNeither, n.inTiers(), "what L2 refused is not kept")
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}

// Both orders are kept: that of the source, and that of the changes in L2.
func TestConditionalLoads_SourceVersion(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		loads  row
		change func(ctx context.Context, there process[row]) error
		want   row
	}{
		"a newer row, and a deletion without a version": {row{"new", 9}, func(ctx context.Context, there process[row]) error {
			return there.Delete(ctx, "k")
		}, row{}},
		"a newer row, and an older one in between": {row{"new", 9}, func(ctx context.Context, there process[row]) error {
			return there.Set(ctx, "k", row{"other", 3}, time.Minute)
		}, row{"other", 3}},
		"nothing in between":                {row{"new", 9}, nil, row{"new", 9}},
		"nothing, but the row is too old":   {row{"old", 1}, nil, row{}},
		"a row without a version, likewise": {row{"none", 0}, nil, row{"none", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := backendtest.NewStore[row]()
				here, there := newProcess(t, store, byVersion(), tiercache.WithConditionalLoads()), newProcess(t, store, byVersion())
				require.NoError(t, there.DeleteVersion(t.Context(), "k", 2))
				got, err := here.GetOrLoad(t.Context(), "k", time.Minute, func(ctx context.Context, _ string) (row, error) {
					if test.change == nil {
						return test.loads, nil
					}
					return test.loads, test.change(ctx, there)
				})
				require.NoError(t, err)
				assert.Equal(t, test.loads, got)
				requireRow(t, here, store, test.want)
			})
		})
	}
}

// The option is refused where nobody could decide.
func TestConditionalLoads_Refused(t *testing.T) {
	t.Parallel()
	_, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string](), tiercache.WithConditionalLoads())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	require.ErrorIs(t, err, tiercache.ErrUnsupported)
	require.ErrorContains(t, err, "WithConditionalLoads needs an l2 that keeps versions")
}
