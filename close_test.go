package tiercache_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

func TestCloseRefusesWhatComesLater(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	require.NoError(t, f.Set(t.Context(), "k", "v", 0))
	require.NoError(t, f.Close(t.Context()))
	require.NoError(t, f.Close(t.Context()), "it may be called again")

	err := f.Set(t.Context(), "k", "w", 0)
	require.ErrorIs(t, err, tiercache.ErrClosed)
	assert.Equal(t, "tiercache: set (sequential): the cache is closed; l1 skipped; l2 skipped; neither tier was changed", err.Error())
	require.ErrorIs(t, f.Delete(t.Context(), "k"), tiercache.ErrClosed)
	_, _, err = f.Get(t.Context(), "k")
	require.ErrorIs(t, err, tiercache.ErrClosed)
	assertHolds(t, f, "v", "v")
}

// The cache is closed while a Get, which Close does not wait for yet, asks L1.
func TestCloseDuringAGet(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	f := newFixture(t, c.options()...)
	f.L1.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
		assert.NoError(t, f.Close(ctx))
		return next(ctx)
	})
	_, ok, err := f.Get(t.Context(), "k")
	require.ErrorIs(t, err, tiercache.ErrClosed)
	assert.False(t, ok)
	assert.Contains(t, c.dump(t), "tiercache.read.result=error")
}

// Close waits for a loader that goes on although no caller waits for it any more, also for
// one that loads share because a write of the key is under way. One that calls Close is not
// waited for.
func TestCloseWaitsForLoaders(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]func(ctx context.Context, f *fixture, loader tiercache.Loader[string]) error{
		"GetOrLoad": func(ctx context.Context, f *fixture, loader tiercache.Loader[string]) error {
			_, err := f.GetOrLoad(ctx, "k", 0, loader)
			return err
		},
		"Refresh": func(ctx context.Context, f *fixture, loader tiercache.Loader[string]) error {
			_, err := f.GetOrLoad(ctx, "k", 0, loader, tiercache.Refresh())
			return err
		},
		"GetOrLoadMany": func(ctx context.Context, f *fixture, loader tiercache.Loader[string]) error {
			_, err := f.GetOrLoadMany(ctx, []string{"k", "j"}, 0, func(ctx context.Context, keys []string) (map[string]string, error) {
				_, err := loader(ctx, keys[0])
				return nil, err
			})
			return err
		},
	} {
		for _, shared := range []bool{false, true} {
			for _, closes := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, shared=%t, calls Close=%t", name, shared, closes), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { testCloseWaitsForLoaders(t, load, shared, closes) })
				})
			}
		}
	}
}

func testCloseWaitsForLoaders(
	t *testing.T, load func(ctx context.Context, f *fixture, loader tiercache.Loader[string]) error, shared, closes bool,
) {
	t.Helper()
	f := newFixture(t)
	if shared {
		f.L2.Next(tier.Delete, backendtest.Delay(time.Second))
		go func() { _ = f.Delete(t.Context(), "k") }()
		synctest.Wait()
	}
	ended := 0
	loader := func(ctx context.Context, _ string) (string, error) {
		time.Sleep(time.Minute)
		if closes {
			assert.Error(t, f.Close(context.WithoutCancel(ctx)), "it does not wait for itself")
		}
		ended++
		return "", nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.ErrorIs(t, load(ctx, f, loader), context.DeadlineExceeded)
	synctest.Wait()
	require.NoError(t, f.Close(t.Context()))
	assert.Equal(t, 1, ended)
}

// Close waits for a detached write and for its hook. The bubble sees to it that
// no goroutine is left.
func TestCloseWaitsForDetachedWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hooked := false
		f := newFixture(t, tiercache.WithWritePolicy(writepolicy.Race()),
			tiercache.WithInconsistencyHook(func(context.Context, tiercache.Inconsistency) {
				time.Sleep(time.Second)
				hooked = true
			}))
		f.L2.Next(tier.Set, backendtest.Chain(backendtest.Delay(2*time.Second), backendtest.FailBefore(errRefused)))
		begin := time.Now()
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		assert.Zero(t, time.Since(begin))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := f.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "operations still under way: 1")
		require.NoError(t, f.Close(t.Context()))
		assert.True(t, hooked)
		assert.Equal(t, 3*time.Second, time.Since(begin))
	})
}

// Close ends a refresh in the background, which nobody waits for.
func TestCloseEndsARefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
		time.Sleep(50 * time.Second)
		ended := make(chan error, 1)
		value, err := f.GetOrLoad(t.Context(), "k", time.Minute, func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return "", ctx.Err()
		})
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		synctest.Wait() // the loader waits
		begin := time.Now()
		require.NoError(t, f.Close(t.Context()))
		assert.Zero(t, time.Since(begin))
		require.ErrorIs(t, <-ended, tiercache.ErrClosed)
		assertHolds(t, f, "v", "v")
	})
}

// Close waits for the loser of a read.
func TestCloseWaitsForTheLoserOfARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithReadPolicy(readpolicy.Race()))
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		f.L2.Next(tier.Get, backendtest.Delay(time.Second))
		begin := time.Now()
		_, ok, err := f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, time.Second, time.Since(begin))
	})
}

// Close knows which cache a context belongs to, and that an operation is over. It waits
// where it is called for another cache, or with a context that was kept.
func TestCloseWaitsOutsideOfItsOperations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two := newFixture(t), newFixture(t)
		closeWaits := func(ctx context.Context, f *fixture) {
			f.L2.Next(tier.Set, backendtest.Delay(time.Second))
			go func() { assert.NoError(t, f.Set(t.Context(), "other", "v", 0)) }()
			synctest.Wait()
			begin := time.Now()
			assert.NoError(t, f.Close(ctx))
			assert.Equal(t, time.Second, time.Since(begin))
		}
		var kept context.Context
		_, err := one.GetOrLoad(t.Context(), "k", 0, func(ctx context.Context, _ string) (string, error) {
			kept = context.WithoutCancel(ctx) //nolint:fatcontext // the test keeps it on purpose
			closeWaits(ctx, two)
			return "v", nil
		})
		require.NoError(t, err)
		closeWaits(kept, one)
	})
}
