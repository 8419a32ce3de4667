package engine_test

import (
	"context"
	"maps"
	"strconv"
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

// Batches have the versions that L2 issues, and drop and compare their copies as single
// keys do.
func TestCoherence_Batches(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, s *store, here, there *instance) {
		require.NoError(t, here.SetMany(t.Context(), maps.All(map[string]string{"k": "old", "j": "old"}), 0))
		assert.Equal(t, "old (l1)", here.read(t))
		require.True(t, here.client.Sync())
		assert.Equal(t, "old (l1)", here.read(t), "it was its own message")
		require.NoError(t, there.SetMany(t.Context(), maps.All(map[string]string{"k": "new"}), 0))
		require.True(t, here.client.Sync())

		get := func() (got []string) {
			values, err := here.GetMany(t.Context(), []string{"k", "j", "none"})
			require.NoError(t, err)
			for _, v := range values {
				got = append(got, v.Value)
			}
			return got
		}
		assert.Equal(t, []string{"new", "old", ""}, get())
		assert.Equal(t, "new (l1)", here.read(t), "the batch has refilled L1")
		s.Trim(0)
		here.client.Lose(backends.LossTrimmed)
		require.True(t, here.client.Sync())
		calls := here.l2.Calls(tier.Get)
		assert.Equal(t, []string{"new", "old", ""}, get())
		assert.Greater(t, here.l2.Calls(tier.Get), calls, "they were compared with L2")
		calls = here.l2.Calls(tier.Get)
		assert.Equal(t, "new (l1)", here.read(t))
		assert.Equal(t, calls, here.l2.Calls(tier.Get))
		require.NoError(t, there.DeleteMany(t.Context(), []string{"k", "j"}))
		require.True(t, here.client.Sync())
		assert.Equal(t, []string{"", "", ""}, get())
	})
}

// A batch of reads gets what a single read does when coherence is lost.
func TestCoherence_BatchesWhenLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		onLost tiercache.OnLost
		want   string
	}{"ask L2": {tiercache.AskL2, "new"}, "serve stale": {tiercache.ServeStale, "old"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, _ *store, here, there *instance) {
				here.set(t, "old")
				here.client.Disconnect()
				there.set(t, "new")
				time.Sleep(bound + time.Nanosecond)
				values, err := here.GetMany(t.Context(), []string{"k"})
				require.NoError(t, err)
				assert.Equal(t, test.want, values[0].Value)
				loaded, err := here.GetOrLoadMany(t.Context(), []string{"k"}, 0, func(context.Context, []string) (map[string]string, error) {
					return nil, errDown
				})
				require.NoError(t, err)
				assert.Equal(t, test.want, loaded[0].Value)
			}, tiercache.WithCoherence(bound, test.onLost))
		})
	}
}

// A hundred readers of an entry that is to be compared with L2 ask it once.
func TestCoherence_NoHerd(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, _ *instance) {
		here.set(t, "v")
		here.client.Lose(backends.LossTrimmed)
		require.True(t, here.client.Sync())
		calls, moved := here.l2.Calls(tier.Get), here.moves.moved.Load()
		here.l2.Next(tier.Get, backendtest.Delay(time.Millisecond))
		for range 100 {
			go func() { assert.Equal(t, "v (l2)", here.read(t)) }()
		}
		time.Sleep(time.Second / 2)
		synctest.Wait()
		assert.Equal(t, 1, here.l2.Calls(tier.Get)-calls)
		assert.Equal(t, moved, here.moves.moved.Load(), "no value was moved")
		assert.Equal(t, "v (l1)", here.read(t))
	})
}

// A loaded value that L2 did not take has no version. It is a hit all the same, because it
// is flagged as kept; another process's write ends that.
func TestCoherence_KeepLoaded(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, there *instance) {
		loads := 0
		load := func() string {
			value, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) {
				loads++
				return "loaded " + strconv.Itoa(loads), nil
			})
			require.NoError(t, err)
			return value
		}
		here.l2.Always(tier.Get, backendtest.FailBefore(errDown))
		here.l2.Always(tier.Set, backendtest.FailBefore(errDown))
		assert.Equal(t, "loaded 1", load())
		assert.Equal(t, "loaded 1", load())
		entry, ok, err := here.GetEntry(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok && entry.Kept)
		here.l2.Clear()
		replace(t, here, there)
		assert.Equal(t, "new (l2)", here.read(t))
		synctest.Wait() // the key is repaired
		here.read(t)
		entry, _, err = here.GetEntry(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, entry.Kept)
		assert.Equal(t, tier.L1, entry.Tier)
	}, tiercache.WithKeepLoaded(time.Minute), tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
}

// The options of reads, and the policies that ask both tiers.
func TestCoherence_Reads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []tiercache.Option
		read []tiercache.ReadOption
		lost string // an entry that was not compared since a loss
		want string // one that was
	}{
		"skip L1":       {nil, []tiercache.ReadOption{tiercache.SkipL1()}, "v (l2)", "v (l2)"},
		"skip L2":       {nil, []tiercache.ReadOption{tiercache.SkipL2()}, "none", "none"},
		"parallel":      {[]tiercache.Option{tiercache.WithReadPolicy(readpolicy.Parallel())}, nil, "v (l2)", "v (l1)"},
		"race":          {[]tiercache.Option{tiercache.WithReadPolicy(readpolicy.Race())}, nil, "v (l2)", ""},
		"spans of hits": {[]tiercache.Option{tiercache.WithL1HitSpans()}, nil, "v (l2)", "v (l1)"},
		"no refill":     {[]tiercache.Option{tiercache.WithRefill(tiercache.RefillNever)}, nil, "v (l2)", "v (l1)"},
		"skip L2, serve stale": {
			[]tiercache.Option{tiercache.WithCoherence(bound, tiercache.ServeStale)},
			[]tiercache.ReadOption{tiercache.SkipL2()},
			"v (stale)", "v (stale)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, _ *store, here, _ *instance) {
				here.set(t, "v")
				here.client.Lose(backends.LossTrimmed)
				require.True(t, here.client.Sync())
				for i, want := range []string{test.lost, test.want} {
					entry, ok, err := here.GetEntry(t.Context(), "k", test.read...)
					require.NoError(t, err)
					got := entry.Value + " (" + entry.Tier.String() + ")"
					switch {
					case !ok:
						got = "none"
					case entry.Stale:
						got = entry.Value + " (stale)"
					}
					if want != "" {
						assert.Equal(t, want, got, "read %d", i+1)
					}
				}
			}, test.opts...)
		})
	}
}

// Values that have versions of their source: L2 decides, and L1 has both versions.
func TestCoherence_SourceVersions(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, there *instance) {
		here.set(t, "2")
		assert.Equal(t, "2 (l1)", here.read(t))
		assert.EqualValues(t, 2, here.stamp(t).Source)
		here.set(t, "1") // it is superseded, by the value in L1
		assert.Equal(t, "2 (l1)", here.read(t))
		there.set(t, "3") // without a version
		require.True(t, here.client.Sync())
		assert.Equal(t, "3 (l2)", here.read(t))
		assert.Equal(t, "3 (l1)", here.read(t))
		require.NoError(t, here.DeleteVersion(t.Context(), "k", 9))
		require.True(t, here.client.Sync())
		assert.Equal(t, "none", here.read(t))
		here.set(t, "8")
		assert.Equal(t, "none", here.read(t), "it is from before the deletion")
	}, tiercache.WithSourceVersion(func(value string) uint64 {
		n, _ := strconv.ParseUint(value, 10, 64)
		return n
	}))
}

// An entry that is compared with L2 lives no longer in L1 for it.
func TestCoherence_L1TTL(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]tiercache.Option{
		"limited":        {tiercache.WithL1TTL(time.Minute, 0)},
		"and kept stale": {tiercache.WithL1TTL(time.Minute, 0), tiercache.WithStaleIfError(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, _ *store, here, _ *instance) {
				here.set(t, "v")
				time.Sleep(50 * time.Second)
				here.client.Lose(backends.LossTrimmed)
				require.True(t, here.client.Sync())
				assert.Equal(t, "v (l2)", here.read(t))
				assert.Equal(t, "v (l1)", here.read(t))
				time.Sleep(11 * time.Second)
				require.True(t, here.client.Sync())
				assert.Equal(t, "v (l2)", here.read(t))
			}, opts...)
		})
	}
}

// A write that L1 supersedes ends without touching a tier. Another process's change of the
// key, of which its lock's holder is told meanwhile, still drops the copy.
func TestCoherence_SupersededByL1(t *testing.T) {
	t.Parallel()
	sources := tiercache.WithSourceVersion(func(v string) uint64 { return uint64(v[0]) })
	two(t, func(t *testing.T, _ *backendtest.Store[string], here, there *instance) {
		here.set(t, "5")
		here.l1.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
			defer func() {
				there.set(t, "7")
				require.True(t, here.client.Sync())
			}()
			return next(ctx)
		})
		here.set(t, "3")
		assert.Equal(t, "7 (l2)", here.read(t))
	}, sources)
}
