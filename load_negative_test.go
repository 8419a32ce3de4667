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
	"github.com/tiercache/tiercache/tier"
)

// A write removes the negative of its key, also a write that comes while the loader is
// finding nothing.
func TestNegativeEntryEndsWithAWrite(t *testing.T) {
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
	f.L2.Next(tier.Get, backendtest.Lose(errRefused))
	nothing := func(context.Context, string) (string, error) { return "", backends.ErrNotFound }
	_, err := f.GetOrLoad(t.Context(), "k", 0, nothing)
	require.ErrorIs(t, err, backends.ErrNotFound)
	value, err := f.GetOrLoad(t.Context(), "k", 0, nothing)
	require.NoError(t, err)
	assert.Equal(t, "old", value)
	require.NoError(t, f.Close(t.Context()))
}
