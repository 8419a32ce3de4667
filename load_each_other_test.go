package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		assert.Equal(t, "a", <-values)
		assert.Equal(t, "b after a", <-values)
		require.NoError(t, f.Close(t.Context()))
	})
}
