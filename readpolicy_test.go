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
	"github.com/tiercache/tiercache/readpolicy"
)

// When L2 and the loader fail, both errors come back.
func TestLoadAndTierFail(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.L2.Next(backendtest.Get, backendtest.Lose(lostError{}))
	_, err := f.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "", errRefused })
	require.ErrorIs(t, err, errRefused)
	require.ErrorIs(t, err, lostError{})
}

// Close waits for the loser of a read.
func TestCloseWaitsForTheLoserOfARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithReadPolicy(readpolicy.Race()))
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		f.L2.Next(backendtest.Get, backendtest.Delay(time.Second))
		begin := time.Now()
		_, ok, err := f.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, time.Second, time.Since(begin))
	})
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
