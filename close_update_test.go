package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// Close waits for the read of L2 by an Update, whose write is then refused.
func TestCloseWaitsForTheReadOfAnUpdate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		n.l2.Next(tier.Get, backendtest.Delay(time.Second))
		ended := make(chan error, 1)
		go func() {
			_, err := n.Update(t.Context(), "k", 0, func(string, bool) (string, error) { return "v", nil })
			ended <- err
		}()
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, n.Close(t.Context()))
		assert.Equal(t, time.Second, time.Since(begin))
		require.ErrorIs(t, <-ended, tiercache.ErrClosed)
	})
}

// L2 calls Close while an Update reads it: Close does not wait for itself.
func TestCloseInTheReadOfAnUpdate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		var closed error
		n.l2.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
			closed = n.Close(ctx)
			return next(ctx)
		})
		_, err := n.Update(t.Context(), "k", 0, func(string, bool) (string, error) { return "v", nil })
		require.ErrorIs(t, err, tiercache.ErrClosed)
		require.ErrorIs(t, closed, tiercache.ErrReentrant)
	})
}
