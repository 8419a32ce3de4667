package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
)

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
