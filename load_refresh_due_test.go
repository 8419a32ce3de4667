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

// The TTL that a loader has set is forgotten with the value: by a Set, and at its end.
func TestRefreshAhead_OfAnotherValue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set, given time.Duration
		replace    func(t *testing.T, f *fixture)
		due        time.Duration // after the value was replaced, not yet in this instant
	}{
		"by a Set": {time.Hour, 10 * time.Second, func(t *testing.T, f *fixture) {
			t.Helper()
			require.NoError(t, f.Set(t.Context(), "k", "new", 10*time.Second))
		}, 5 * time.Second},
		"by another process, after its end": {10 * time.Second, time.Hour, func(t *testing.T, f *fixture) {
			t.Helper()
			time.Sleep(20 * time.Second)
			require.NoError(t, f.L2.Set(t.Context(), "k", backends.Entry[string]{Value: "new", ExpiresAt: time.Now().Add(time.Hour)}))
			value, _, err := f.Get(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, "new", value)
		}, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithRefreshAhead(0.5))
				_, err := f.GetOrLoad(t.Context(), "k", test.given, func(ctx context.Context, _ string) (string, error) {
					return "old", tiercache.SetTTL(ctx, test.set)
				})
				require.NoError(t, err)
				test.replace(t, f)
				loads := 0
				get := func() {
					_, err := f.GetOrLoad(t.Context(), "k", test.given, func(context.Context, string) (string, error) {
						loads++
						return "newer", nil
					})
					require.NoError(t, err)
					synctest.Wait()
				}
				time.Sleep(test.due)
				get()
				assert.Zero(t, loads, "not yet")
				time.Sleep(time.Nanosecond)
				get()
				assert.Equal(t, 1, loads)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A refresh that L2 has accepted does not put off the next one.
func TestRefreshAhead_ConditionalLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, backendtest.NewStore[string](), tiercache.WithRefreshAhead(0.9), tiercache.WithConditionalLoads())
		require.NoError(t, p.Set(t.Context(), "k", "v", time.Second))
		load, loads := counting()
		for range 2 {
			time.Sleep(200 * time.Millisecond)
			_, err := p.GetOrLoad(t.Context(), "k", time.Second, load)
			require.NoError(t, err)
			synctest.Wait()
		}
		assert.Equal(t, 2, *loads)
	})
}

// A value that L1 alone keeps is refreshed ahead of the end of that, also if it has no TTL.
func TestKeepLoaded_RefreshAheadWithoutATTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithKeepLoaded(10*time.Second), tiercache.WithRefreshAhead(0.2),
			tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
		f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
		load, loads := counting()
		get := func() {
			_, err := f.GetOrLoad(t.Context(), "k", 0, load)
			require.NoError(t, err)
			synctest.Wait()
		}
		get()
		time.Sleep(8 * time.Second)
		get()
		assert.Equal(t, 1, *loads, "not yet")
		time.Sleep(time.Second)
		get()
		assert.Equal(t, 2, *loads)
		require.NoError(t, f.Close(t.Context()))
	})
}

// lasting is an L1 that does not let go of an entry, as if its clock had been set back.
type lasting struct{ *backendtest.Map[string] }

func (l lasting) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	entry.ExpiresAt = time.Time{}
	return l.Map.Set(ctx, key, entry)
}

// A value that L1 has kept for too long is no hit. It is a stale value for those who want
// one.
func TestKeepLoaded_L1KeepsTooLong(t *testing.T) {
	t.Parallel()
	for name, stale := range map[string]time.Duration{"stale if error": time.Hour, "no stale values": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l2 := backendtest.WithFaults(backendtest.NewMap[string]())
				c, err := tiercache.New("users", lasting{backendtest.NewMap[string]()}, l2,
					tiercache.WithKeepLoaded(10*time.Second), tiercache.WithStaleIfError(stale),
					tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
				require.NoError(t, err)
				l2.Always(tier.Set, backendtest.FailBefore(errRefused))
				_, err = c.GetOrLoad(t.Context(), "k", time.Hour, loads("v", nil))
				require.NoError(t, err)
				value, err := c.GetOrLoad(t.Context(), "k", time.Hour, loads("", errRefused))
				require.NoError(t, err, "L1 has it")
				assert.Equal(t, "v", value)
				time.Sleep(time.Minute)
				_, ok, err := c.Get(t.Context(), "k")
				require.NoError(t, err)
				assert.False(t, ok)
				value, err = c.GetOrLoad(t.Context(), "k", time.Hour, loads("", errRefused))
				if stale > 0 {
					require.NoError(t, err)
					assert.Equal(t, "v", value)
				} else {
					require.ErrorIs(t, err, errRefused)
				}
				require.NoError(t, c.Close(t.Context()))
			})
		})
	}
}

// A load that asks both tiers at once asks each once.
func TestGetOrLoad_AsksEachTierOnce(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]readpolicy.Policy{
		"sequential": readpolicy.Sequential(), "parallel": readpolicy.Parallel(), "race": readpolicy.Race(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tiercache.WithReadPolicy(policy), tiercache.WithNegativeTTL(time.Minute))
			_, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("v", nil))
			require.NoError(t, err)
			want := map[string]int{"sequential": 2}[name] // once more in the flight, which an earlier one may have filled
			assert.Equal(t, max(want, 1), f.L1.Calls(tier.Get))
			assert.Equal(t, 1, f.L2.Calls(tier.Get))
			require.NoError(t, f.Close(t.Context()))
		})
	}
}
