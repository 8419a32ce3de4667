package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
)

// The loader of a has waited for b, and waits no more. So the loader of b may wait
// for a.
func TestLoadsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		values := make(chan string, 2)
		go func() { // so that b goes on when a leaves it
			value, err := f.GetOrLoad(t.Context(), "b", 0, func(ctx context.Context, _ string) (string, error) {
				time.Sleep(2 * time.Second)
				a, err := f.GetOrLoad(ctx, "a", 0, returns("of b", nil))
				return "b after " + a, err
			})
			assert.NoError(t, err)
			values <- value
		}()
		synctest.Wait()
		go func() {
			value, err := f.GetOrLoad(t.Context(), "a", 0, func(ctx context.Context, _ string) (string, error) {
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				_, err := f.GetOrLoad(short, "b", 0, returns("of a", nil))
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				time.Sleep(2 * time.Second)
				return "a", nil
			})
			assert.NoError(t, err)
			values <- value
		}()
		assert.ElementsMatch(t, []string{"a", "b after a"}, []string{<-values, <-values})
		require.NoError(t, f.Close(t.Context()))
	})
}

// A tier asks for a key in a write that is made by the loader of that key. It gets an
// error at once: a load waits for its loader, however the call gets there.
func TestLoaderAsksForItsOwnKey_InAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.L2.Next(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			_, err := f.GetOrLoad(ctx, "k", 0, returns("inner", nil))
			assert.ErrorIs(t, err, tiercache.ErrReentrant)
			return next(ctx)
		})
		value, err := f.GetOrLoad(t.Context(), "k", 0, func(ctx context.Context, _ string) (string, error) {
			return "v", f.Set(ctx, "other", "v", 0)
		})
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, f.Close(t.Context()))
	})
}
