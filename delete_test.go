package tiercache_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/writepolicy"
)

// A delete reaches L2 also when L1 does not have the key.
func TestDeleteReachesL2WithoutACopyInL1(t *testing.T) {
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
