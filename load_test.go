package tiercache_test

import (
	"context"
	"sync/atomic"
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

// When L2 and the loader fail, both errors come back.
func TestLoadAndTierFail(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.L2.Next(tier.Get, backendtest.Lose(lostError{}))
	_, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "", errRefused })
	require.ErrorIs(t, err, errRefused)
	require.ErrorIs(t, err, lostError{})
}

// GetOrLoad asks the tiers as the policy says, too.
func TestLoadUnderReadPolicies(t *testing.T) {
	t.Parallel()
	for _, p := range []readpolicy.Policy{readpolicy.Sequential(), readpolicy.Race(), readpolicy.Parallel()} {
		f := newFixture(t, tiercache.WithReadPolicy(p), tiercache.WithL1HitSpans(), tiercache.WithStaleIfError(time.Hour))
		for _, want := range []string{"loaded", "loaded"} {
			got, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return want, nil })
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		require.NoError(t, f.Close(t.Context()))
	}
}

// A loader has its value when a write comes. The loaded value reaches no tier.
func TestLoadDoesNotOverwriteAWrite(t *testing.T) {
	t.Parallel()
	for _, remove := range []bool{false, true} {
		name := map[bool]string{false: "Set", true: "Delete"}[remove]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := newFixture(t, tiercache.WithWritePolicy(p))
				value, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
					if remove {
						assert.NoError(t, f.Delete(t.Context(), "k"))
					} else {
						assert.NoError(t, f.Set(t.Context(), "k", "new", 0))
					}
					return "loaded", nil
				})
				require.NoError(t, err)
				assert.Equal(t, "loaded", value)
				require.NoError(t, f.Close(t.Context()))
				l1, l2 := f.Holds("k")
				assert.NotEqual(t, "loaded", l1)
				assert.NotEqual(t, "loaded", l2)
			})
		})
	}
}

// Sixty-four callers, one loader.
func TestLoadsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var calls atomic.Int32
		for range 64 {
			go func() {
				value, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
					calls.Add(1)
					time.Sleep(time.Second)
					return "loaded", nil
				})
				assert.NoError(t, err)
				assert.Equal(t, "loaded", value)
			}()
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		assert.Equal(t, int32(1), calls.Load())
		assert.Equal(t, 1, f.L2.Calls(tier.Get))
		require.NoError(t, f.Close(t.Context()))
	})
}

// A caller that comes after a write does not wait for a load that began before it,
// which may bring back a replaced value.
func TestLoadIsNotSharedAcrossAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		gate := make(chan struct{})
		first := make(chan string, 1)
		go func() {
			value, _ := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
				<-gate
				return "before", nil
			})
			first <- value
		}()
		synctest.Wait()
		require.NoError(t, f.Delete(t.Context(), "k"))
		value, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "after", nil })
		require.NoError(t, err)
		assert.Equal(t, "after", value)
		close(gate)
		assert.Equal(t, "before", <-first)
		assertHolds(t, f, "after", "after")
		require.NoError(t, f.Close(t.Context()))
	})
}

// The first caller leaves. The loader goes on for the others, and ends with the
// last of them.
func TestLoadSurvivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		load := func(ctx context.Context, _ string) (string, error) {
			select {
			case <-time.After(time.Minute):
				return "loaded", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		leaves := func(after time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			_, err := f.GetOrLoad(ctx, "k", 0, load)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		}
		go leaves(time.Second)
		synctest.Wait()
		go leaves(2 * time.Second)
		value, err := f.GetOrLoad(t.Context(), "k", 0, load)
		require.NoError(t, err)
		assert.Equal(t, "loaded", value)

		begin := time.Now()
		require.NoError(t, f.Delete(t.Context(), "k"))
		leaves(time.Second)
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, time.Second, time.Since(begin), "nobody waited for the loader any more")
	})
}

// A loader that panics fails all callers, and takes nothing else with it.
func TestLoaderPanicIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for range 3 {
			go func() {
				_, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
					time.Sleep(time.Second)
					panic(errRefused)
				})
				assert.ErrorIs(t, err, errRefused)
				var p *backends.PanicError
				assert.ErrorAs(t, err, &p)
			}()
		}
		time.Sleep(2 * time.Second)
		require.NoError(t, f.Close(t.Context()))
	})
}

// A loaded value expires after the TTL of the load, in both tiers; 0 is never.
func TestLoadedValueExpires(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			want := time.Time{}
			if ttl > 0 {
				want = time.Now().Add(ttl)
			}
			loads := 0
			get := func(want int) {
				t.Helper()
				value, err := f.GetOrLoad(t.Context(), "k", ttl, func(context.Context, string) (string, error) {
					loads++
					return "v", nil
				})
				require.NoError(t, err)
				assert.Equal(t, "v", value)
				assert.Equal(t, want, loads)
			}
			get(1)
			assert.WithinDuration(t, want, f.Map1.Snapshot()["k"].ExpiresAt, 0)
			assert.WithinDuration(t, want, f.Map2.Snapshot()["k"].ExpiresAt, 0)
			get(1)
			time.Sleep(time.Minute)
			if ttl > 0 {
				get(2)
			} else {
				get(1)
			}
			require.NoError(t, f.Close(t.Context()))
		})
	}
}

// A load during a write does not share the loader's call of a load during an earlier
// write, whose end the call may not have seen.
func TestLoadsDuringTwoWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		load := func(source string) chan string {
			loaded := make(chan string, 1)
			go func() {
				value, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
					time.Sleep(time.Minute)
					return source, nil
				})
				assert.NoError(t, err)
				loaded <- value
			}()
			synctest.Wait()
			return loaded
		}
		var loads []chan string
		for _, source := range []string{"first", "second"} {
			f.L2.Next(tier.Delete, backendtest.Delay(time.Second))
			go func() { assert.NoError(t, f.Delete(t.Context(), "k")) }()
			synctest.Wait()
			loads = append(loads, load(source))
			time.Sleep(2 * time.Second)
		}
		assert.Equal(t, "first", <-loads[0])
		assert.Equal(t, "second", <-loads[1])
		require.NoError(t, f.Close(t.Context()))
	})
}
