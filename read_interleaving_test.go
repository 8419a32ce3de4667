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
	"github.com/tiercache/tiercache/writepolicy"
)

// held begins with "old" in L2 alone, as after an eviction in L1.
func held(t *testing.T, opts ...tiercache.Option) *fixture {
	t.Helper()
	f := newFixture(t, opts...)
	require.NoError(t, f.Map2.Set(t.Context(), "k", backends.Entry[string]{Value: "old"}))
	return f
}

// A reader has read the old value in L2 and is about to store it in L1. A write
// comes and is done before it does, or in the middle of it. L1 must not get the
// old value after it.
func TestRefillAgainstWrite(t *testing.T) {
	t.Parallel()
	for _, remove := range []bool{false, true} {
		name := map[bool]string{false: "Set", true: "Delete"}[remove]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := held(t, tiercache.WithWritePolicy(p))
				gate := backendtest.NewGate()
				f.L2.Next(backendtest.Get, gate.After())
				read := make(chan string)
				go func() {
					value, _, err := f.Get(t.Context(), "k")
					assert.NoError(t, err)
					read <- value
				}()
				<-gate.Arrived()
				if remove {
					require.NoError(t, f.Delete(t.Context(), "k"))
				} else {
					require.NoError(t, f.Set(t.Context(), "k", "new", 0))
				}
				synctest.Wait() // a policy may answer before it has written both tiers
				gate.Open()
				value := <-read
				if l1, _ := f.Holds("k"); l1 != "" {
					assert.Equal(t, "new", value, "it was overtaken, and whoever comes later finds the new value")
				} else {
					assert.Equal(t, "old", value, "it began before the write")
				}
				require.NoError(t, f.Close(t.Context()))
				l1, l2 := f.Holds("k")
				assert.NotEqual(t, "old", l1)
				assert.NotEqual(t, "old", l2)
			})
		})
	}
}

// The write has begun before the read, and ends between the read of L2 and the
// refill.
func TestRefillAgainstWriteUnderWay(t *testing.T) {
	t.Parallel()
	for _, tier := range []string{"l1", "l2"} {
		t.Run("held in "+tier, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := held(t, tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(time.Hour))
				writing, reading := backendtest.NewGate(), backendtest.NewGate()
				call, faults := backendtest.Set, f.L2
				if tier == "l1" {
					faults = f.L1
					if writepolicy.NameOf(p) == "write_around" {
						call = backendtest.Delete
					}
				}
				faults.Next(call, writing.Before())
				f.L1.Next(backendtest.Get, backendtest.Hang()) // as if evicted, whatever was written
				f.L2.Next(backendtest.Get, reading.After())

				go func() { assert.NoError(t, f.Set(t.Context(), "k", "new", 0)) }()
				<-writing.Arrived()
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _, _ = f.Get(ctx, "k")
				}()
				synctest.Wait()
				cancel() // L1 answers with an error, and L2 is asked
				synctest.Wait()
				writing.Open()
				synctest.Wait()
				reading.Open()
				<-done
				require.NoError(t, f.Close(t.Context()))
				l1, l2 := f.Holds("k")
				assert.NotEqual(t, "old", l1)
				assert.Equal(t, "new", l2)
			})
		})
	}
}

// A loader has its value when a write comes. What it loaded reaches no tier.
func TestLoadAgainstWrite(t *testing.T) {
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
		assert.Equal(t, 1, f.L2.Calls(backendtest.Get))
		require.NoError(t, f.Close(t.Context()))
	})
}

// A caller that comes after a write does not wait for a load that began before
// it, which may bring back what was replaced.
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
func TestLeaderLeaves(t *testing.T) {
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

// L1 lets go of an entry before L2 does, and gets it again with what is left of
// its life.
func TestExpiryBetweenTheTiers(t *testing.T) {
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
		assert.Equal(t, 90*time.Second, f.Map1.Snapshot()["k"].ExpiresAt.Sub(begin), "the remaining life, not a new one")

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

func TestL1Jitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithL1TTL(time.Minute, 0.5))
		lives := make(map[time.Duration]bool)
		for range 50 {
			require.NoError(t, f.Set(t.Context(), "k", "v", 0))
			life := time.Until(f.Map1.Snapshot()["k"].ExpiresAt)
			assert.LessOrEqual(t, life, time.Minute)
			assert.Greater(t, life, 30*time.Second)
			lives[life] = true
		}
		assert.Greater(t, len(lives), 10)
		require.NoError(t, f.Close(t.Context()))
	})
}

// A delete reaches L2 also when L1 does not have the key.
func TestDeleteOfWhatOnlyL2Has(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		f := held(t, tiercache.WithWritePolicy(p))
		require.NoError(t, f.Delete(t.Context(), "k"))
		_, ok, err := f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok)
		require.NoError(t, f.Close(t.Context()))
	})
}

// When the life of a newer value ends in L1, an older one does not come back.
func TestEndOfLifeBringsNothingBack(t *testing.T) {
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

// A write ends what is remembered of a key that was not found, also one that
// comes while the loader is finding nothing.
func TestNegativeEntriesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithNegativeTTL(time.Minute))
		loads := 0
		nothing := func(context.Context, string) (string, error) {
			loads++
			return "", backends.ErrNotFound
		}
		get := func(want int) {
			t.Helper()
			_, err := f.GetOrLoad(t.Context(), "k", 0, nothing)
			require.ErrorIs(t, err, backends.ErrNotFound)
			assert.Equal(t, want, loads)
		}
		get(1)
		get(1)
		time.Sleep(time.Minute)
		get(2) // its time is over
		require.NoError(t, f.Delete(t.Context(), "k"))
		get(3) // a write has ended it
		require.NoError(t, f.Delete(t.Context(), "k"))
		_, err := f.GetOrLoad(t.Context(), "k", 0, func(ctx context.Context, _ string) (string, error) {
			assert.NoError(t, f.Delete(ctx, "k")) // fences what is found now
			return "", backends.ErrNotFound
		})
		require.ErrorIs(t, err, backends.ErrNotFound)
		get(4)
		require.NoError(t, f.Close(t.Context()))
	})
}

// When L2 could not be read, that the loader found nothing is not remembered: L2
// may have the value.
func TestNegativeOnlyAfterAMiss(t *testing.T) {
	t.Parallel()
	f := held(t, tiercache.WithNegativeTTL(time.Minute))
	f.L2.Next(backendtest.Get, backendtest.Lose(errRefused))
	nothing := func(context.Context, string) (string, error) { return "", backends.ErrNotFound }
	_, err := f.GetOrLoad(t.Context(), "k", 0, nothing)
	require.ErrorIs(t, err, backends.ErrNotFound)
	value, err := f.GetOrLoad(t.Context(), "k", 0, nothing)
	require.NoError(t, err)
	assert.Equal(t, "old", value)
	require.NoError(t, f.Close(t.Context()))
}

// A caller that finds nothing in L1 does not wait for a refresh, which does not
// ask L2.
func TestRefreshIsNotSharedWithAMiss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
		time.Sleep(50 * time.Second)
		failing := func(context.Context, string) (string, error) {
			time.Sleep(time.Second)
			return "", errRefused
		}
		value, err := f.GetOrLoad(t.Context(), "k", time.Minute, failing) // begins a refresh
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, f.Map1.Delete(t.Context(), "k"))
		value, err = f.GetOrLoad(t.Context(), "k", time.Minute, failing)
		require.NoError(t, err)
		assert.Equal(t, "v", value, "L2 has it")
		require.NoError(t, f.Close(t.Context()))
	})
}

// A deleted value is not served as a stale one.
func TestStaleAfterDelete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithStaleIfError(time.Hour))
		fail := func(context.Context, string) (string, error) { return "", errRefused }
		require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
		time.Sleep(2 * time.Minute)
		value, err := f.GetOrLoad(t.Context(), "k", 0, fail)
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, f.Delete(t.Context(), "k"))
		_, err = f.GetOrLoad(t.Context(), "k", 0, fail)
		require.ErrorIs(t, err, errRefused)
		require.NoError(t, f.Close(t.Context()))
	})
}

// Close waits for loads, also for those of refresh-ahead, and for the losers of
// races.
func TestCloseWaitsForReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
		time.Sleep(50 * time.Second)
		refreshed := false
		value, err := f.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context, string) (string, error) {
			time.Sleep(time.Second)
			refreshed = true
			return "w", nil
		})
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, f.Close(t.Context()))
		assert.True(t, refreshed)
		assertHolds(t, f, "w", "w")
	})
}
