package tiercache_test

import (
	"context"
	"fmt"
	"strings"
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

// follow is a loader that asks for other keys: "a" asks for "b" and "c" if next has
// "a": "b c". It returns the first error, or the key.
func follow(w *fixture, next map[string]string) tiercache.Loader[string] {
	var load tiercache.Loader[string]
	load = func(ctx context.Context, key string) (string, error) {
		for other := range strings.FieldsSeq(next[key]) {
			if _, err := w.GetOrLoad(ctx, other, time.Hour, load); err != nil {
				return "", err
			}
		}
		return key, nil
	}
	return load
}

// A loader that asks for the key that it loads gets an error at once, however many
// other keys are in between, and so does its caller.
func TestLoaderAsksForItsOwnKey(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]map[string]string{
		"itself":              {"a": "a"},
		"by one other key":    {"a": "b", "b": "a"},
		"by two other keys":   {"a": "b", "b": "c", "c": "a"},
		"of a later one":      {"a": "b", "b": "c", "c": "b"},
		"after an honest one": {"a": "b c", "c": "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t)
				begin := time.Now()
				_, err := w.GetOrLoad(t.Context(), "a", time.Hour, follow(w, next))
				require.ErrorIs(t, err, tiercache.ErrReentrant)
				assert.Contains(t, err.Error(), "the call would wait for itself")
				assert.Zero(t, time.Since(begin))
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// A loader may go on without the value that it cannot have.
func TestLoaderSurvivesItsOwnKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t)
		got, err := w.GetOrLoad(t.Context(), "a", time.Hour, func(ctx context.Context, key string) (string, error) {
			_, err := w.GetOrLoad(ctx, key, time.Hour, follow(w, nil))
			assert.ErrorIs(t, err, tiercache.ErrReentrant)
			return "loaded", nil
		})
		require.NoError(t, err)
		assert.Equal(t, "loaded", got)
		require.NoError(t, w.Close(t.Context()))
	})
}

// Loaders of callers that know nothing of each other wait for each other in a ring.
func TestLoadersWaitForEachOther(t *testing.T) {
	t.Parallel()
	for n := 2; n <= 4; n++ {
		t.Run(fmt.Sprintf("%d callers", n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t)
				key := func(i int) string { return fmt.Sprintf("key %d", i%n) }
				var all sync.WaitGroup
				all.Add(n)
				begin := time.Now()
				errs := make(chan error, n)
				for i := range n {
					go func() {
						_, err := w.GetOrLoad(t.Context(), key(i), time.Hour, func(ctx context.Context, _ string) (string, error) {
							all.Done()
							all.Wait() // until each has its flight
							return w.GetOrLoad(ctx, key(i+1), time.Hour, func(context.Context, string) (string, error) {
								t.Error("the flight of another caller is under way")
								return "", nil
							})
						})
						errs <- err
					}()
				}
				failed := 0
				for range n {
					if err := <-errs; err != nil {
						failed++
						assert.ErrorIs(t, err, tiercache.ErrReentrant)
					}
				}
				assert.NotZero(t, failed)
				assert.Zero(t, time.Since(begin))
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// Loaders that wait for others, but in no ring, are left alone.
func TestLoaderAsksForOtherKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t)
		slow := func(context.Context, string) (string, error) {
			time.Sleep(time.Second)
			return "slow", nil
		}
		go func() { _, _ = w.GetOrLoad(t.Context(), "d", time.Hour, slow) }()
		synctest.Wait()
		load := follow(w, map[string]string{"a": "b c d", "b": "d", "c": "b d"})
		got, err := w.GetOrLoad(t.Context(), "a", time.Hour, func(ctx context.Context, key string) (string, error) {
			var both sync.WaitGroup
			for _, other := range []string{"b", "c"} {
				both.Go(func() {
					_, err := w.GetOrLoad(ctx, other, time.Hour, load)
					assert.NoError(t, err)
				})
			}
			both.Wait()
			return load(ctx, key)
		})
		require.NoError(t, err)
		assert.Equal(t, "a", got)
		require.NoError(t, w.Close(t.Context()))
	})
}

// A refresh is a load of its own: nobody waits for it, so it may wait for the one that
// began it.
func TestRefreshAsksForTheKeyOfItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, tiercache.WithRefreshAhead(0.5))
		require.NoError(t, w.Set(t.Context(), "b", "old", time.Minute))
		time.Sleep(45 * time.Second)
		refreshed := make(chan error, 1)
		_, err := w.GetOrLoad(t.Context(), "a", time.Hour, func(ctx context.Context, _ string) (string, error) {
			got, err := w.GetOrLoad(ctx, "b", time.Minute, func(ctx context.Context, _ string) (string, error) {
				_, err := w.GetOrLoad(ctx, "a", time.Hour, follow(w, nil))
				refreshed <- err
				return "new", err
			})
			time.Sleep(time.Second) // the refresh has asked meanwhile
			return got, err
		})
		require.NoError(t, err)
		require.NoError(t, <-refreshed)
		require.NoError(t, w.Close(t.Context()))
		assert.Equal(t, "new", w.Map2.Snapshot()["b"].Value)
	})
}

// So it is where the caller of the refresh holds the lock of a key.
func TestRefreshWritesTheKeyOfItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, tiercache.WithRefreshAhead(0.5))
		require.NoError(t, w.Set(t.Context(), "b", "old", time.Minute))
		time.Sleep(45 * time.Second)
		refreshed := make(chan error, 1)
		w.L2.Next(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			_, err := w.GetOrLoad(ctx, "b", time.Minute, func(ctx context.Context, _ string) (string, error) {
				err := w.Set(ctx, "k", "later", 0)
				refreshed <- err
				return "new", err
			})
			assert.NoError(t, err)
			time.Sleep(time.Second) // the refresh waits meanwhile
			return next(ctx)
		})
		require.NoError(t, w.Set(t.Context(), "k", "v", 0))
		require.NoError(t, <-refreshed)
		require.NoError(t, w.Close(t.Context()))
		assertHolds(t, w, "later", "later")
	})
}

// A loader may write, delete and read its own key. Such a write is newer than what
// the loader returns, which therefore is not stored.
func TestLoaderWritesItsOwnKey(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		w := newFixture(t, tiercache.WithWritePolicy(p))
		got, err := w.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, key string) (string, error) {
			assert.NoError(t, w.Delete(ctx, key))
			assert.NoError(t, w.Set(ctx, key, "written", 0))
			value, ok, err := w.Get(ctx, key)
			assert.NoError(t, err)
			assert.True(t, ok)
			return "loaded, not " + value, nil
		})
		require.NoError(t, err)
		assert.Equal(t, "loaded, not written", got)
		require.NoError(t, w.Close(t.Context()))
		_, l2 := w.Holds("k")
		assert.Equal(t, "written", l2)
	})
}

// The loaders of two caches ask each other.
func TestLoadersOfTwoCaches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two := newFixture(t), newFixture(t)
		_, err := one.GetOrLoad(t.Context(), "k", 0, func(ctx context.Context, key string) (string, error) {
			return two.GetOrLoad(ctx, key, 0, func(ctx context.Context, key string) (string, error) {
				return one.GetOrLoad(ctx, key, 0, follow(one, nil))
			})
		})
		require.ErrorIs(t, err, tiercache.ErrReentrant)
		require.NoError(t, one.Close(t.Context()))
		require.NoError(t, two.Close(t.Context()))
	})
}

// A tier that writes the key that it is asked to write, or a policy that does, gets an
// error at once.
func TestWriteInAWriteOfTheKey(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		w := newFixture(t, tiercache.WithWritePolicy(p))
		begin := time.Now()
		var inner []error
		again := func(ctx context.Context, next func(context.Context) error) error {
			inner = append(inner, w.Set(ctx, "k", "inner", 0), w.Delete(ctx, "k"))
			return next(ctx)
		}
		w.L2.Next(tier.Set, again)
		require.NoError(t, w.Set(t.Context(), "k", "v", 0))
		synctest.Wait()
		require.Len(t, inner, 2)
		for _, err := range inner {
			require.ErrorIs(t, err, tiercache.ErrReentrant)
			require.ErrorContains(t, err, "neither tier was changed")
			assert.True(t, backends.CertainlyNotApplied(err))
		}
		assert.Zero(t, time.Since(begin))
		require.NoError(t, w.Close(t.Context()))
		_, l2 := w.Holds("k")
		assert.Equal(t, "v", l2)
	})
}

// A context that was kept from a write says nothing once that write is over: a later
// use waits like any other.
func TestKeptContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t)
		var kept context.Context
		w.L1.Next(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			kept = ctx //nolint:fatcontext // the test keeps it on purpose
			return next(ctx)
		})
		require.NoError(t, w.Set(t.Context(), "k", "v", 0))
		gate := backendtest.NewGate()
		w.L2.Next(tier.Set, gate.Before())
		go func() { _ = w.Set(t.Context(), "k", "w", 0) }()
		<-gate.Arrived()
		done := make(chan error, 1)
		go func() { done <- w.Set(kept, "k", "x", 0) }()
		synctest.Wait()
		gate.Open()
		require.NoError(t, <-done)
		require.NoError(t, w.Close(kept))
		assertHolds(t, w, "x", "x")
	})
}
