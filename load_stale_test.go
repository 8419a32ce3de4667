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

// A deleted value is not served as a stale one.
func TestDeletedValueIsNotServedStale(t *testing.T) {
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

// An entry that does not expire is never stale.
func TestStaleIfError_EntryThatDoesNotExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithStaleIfError(time.Hour))
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		assert.True(t, f.Map1.Snapshot()["k"].ExpiresAt.IsZero())
		time.Sleep(1000 * time.Hour)
		value, ok, err := f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "v", value)
		assert.Zero(t, f.L2.Calls(tier.Get), "L1 has it")
		require.NoError(t, f.Close(t.Context()))
	})
}
