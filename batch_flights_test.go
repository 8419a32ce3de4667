package tiercache_test

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// The loaded values of a batch are written together although the batch has returned before.
func TestGetOrLoadMany_WritesTogetherLater(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts   []tiercache.Option
		leaves bool
	}{
		"async":             {opts: []tiercache.Option{tiercache.WithAsyncLoadWrites()}},
		"conditional async": {opts: []tiercache.Option{tiercache.WithAsyncLoadWrites(), tiercache.WithConditionalLoads()}},
		"the caller leaves": {leaves: true},
		"the caller gets stale values": {opts: []tiercache.Option{
			tiercache.WithStaleIfError(time.Hour), tiercache.WithStaleIfSlow(time.Second),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, test.opts...)
				keys := keysOf(20)
				require.NoError(t, n.SetMany(t.Context(), valued(keys, "old"), time.Minute))
				time.Sleep(2 * time.Minute)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var other atomic.Value
				_, err := n.GetOrLoadMany(ctx, keys, time.Hour, func(_ context.Context, keys []string) (map[string]string, error) {
					if test.leaves {
						go func() {
							value, err := n.GetOrLoad(t.Context(), "k0", time.Hour, noLoad(t))
							assert.NoError(t, err)
							other.Store(value)
						}()
						synctest.Wait()
						cancel()
					}
					time.Sleep(time.Minute)
					return maps.Collect(valued(keys, "new")), nil
				})
				if test.leaves {
					require.ErrorIs(t, err, context.Canceled)
				} else {
					require.NoError(t, err)
				}
				time.Sleep(time.Hour / 2)
				assert.Equal(t, 2, n.l2.Calls(tier.Set), "one call of L2 for each batch")
				for _, key := range keys {
					l1, l2 := n.holds(key)
					assert.Equal(t, [2]string{key + "new", key + "new"}, [2]string{l1, l2})
				}
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}

// A key whose policy hangs holds up the others no longer than in a batch that waits.
func TestGetOrLoadMany_HangsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		n := newNode(t, tiercache.WithAsyncLoadWrites(), tiercache.WithWritePolicy(
			writepolicy.PolicyFunc(func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				if op.Key == "k0" {
					<-release
				}
				return writepolicy.Sequential().Write(ctx, op, l1, l2)
			})))
		_, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, loadAll(new(atomic.Int32), "a"))
		require.NoError(t, err)
		time.Sleep(time.Second)
		for _, key := range keysOf(3)[1:] {
			l1, l2 := n.holds(key)
			assert.Equal(t, [2]string{key + "a", key + "a"}, [2]string{l1, l2})
		}
		close(release)
		require.NoError(t, n.Close(t.Context()))
		assert.Len(t, slices.Collect(maps.Keys(n.store.Snapshot())), 3)
	})
}

// A batch calls its loader once, and counts as one load.
func TestGetOrLoadMany_MaxLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, tiercache.WithMaxLoads(2))
		gate := make(chan struct{})
		load := func(keys ...string) chan error {
			ended := make(chan error, 1)
			go func() {
				_, err := n.GetOrLoadMany(t.Context(), keys, 0, func(_ context.Context, keys []string) (map[string]string, error) {
					<-gate
					return maps.Collect(valued(keys, "")), nil
				})
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		first, second := load(keysOf(10)...), load("a", "b")
		require.ErrorIs(t, <-load("c", "d"), tiercache.ErrOverloaded)
		_, err := n.GetOrLoad(t.Context(), "e", 0, noLoad(t))
		require.ErrorIs(t, err, tiercache.ErrOverloaded)
		close(gate)
		require.NoError(t, <-first)
		require.NoError(t, <-second)
		synctest.Wait()
		third, fourth := load("c", "d"), load("e", "f")
		require.NoError(t, <-third, "the loads before are not counted any more")
		require.NoError(t, <-fourth)
		require.NoError(t, n.Close(t.Context()))
	})
}
