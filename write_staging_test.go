package tiercache_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A value that cannot be encoded, and a backend that refuses to stage it in
// whatever way, touch no tier.
func TestStagingFails_TouchesNoTier(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]backendtest.Fault{
		"error": backendtest.Lose(errRefused),
		"panic": backendtest.Panic(secretValue),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				c := newRecorder()
				f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p))...)
				require.NoError(t, f.Set(t.Context(), "k", "old", 0))
				synctest.Wait() // a policy may answer before it has written both tiers
				writes := writeCalls(f.L1) + writeCalls(f.L2)
				l1, l2 := f.Holds("k")
				f.L2.Next(tier.Stage, fault)
				err := f.Set(t.Context(), "k", secretValue, 0)
				require.ErrorContains(t, err, "l2 stage failed")
				require.ErrorContains(t, err, "neither tier was changed")
				assert.NotContains(t, err.Error(), secretValue)
				assert.Equal(t, writes, writeCalls(f.L1)+writeCalls(f.L2))
				assertHolds(t, f, l1, l2)
				require.NoError(t, f.Close(t.Context()))
				assert.Empty(t, c.Inconsistencies())
				assert.Empty(t, c.Records())
				assert.NotContains(t, c.dump(t), secretValue)
			})
		})
	}
}

func TestEncodeErrorTouchesNoTier(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	store := backendtest.NewMap[[]byte]()
	l1 := backendtest.NewMap[any]()
	l2, err := backends.WithCodec(store, backends.JSON[any]())
	require.NoError(t, err)
	cache, err := tiercache.New("users", l1, l2, c.options()...)
	require.NoError(t, err)

	err = cache.Set(t.Context(), "k", make(chan int), 0)
	var encode *backends.EncodeError
	require.ErrorAs(t, err, &encode)
	assert.Empty(t, l1.Snapshot())
	assert.Empty(t, store.Snapshot())
	assert.Empty(t, c.Inconsistencies())
	require.NoError(t, cache.Close(t.Context()))
	assert.Equal(t, `set users (internal) Error error.type=encode tiercache.cache.name=users tiercache.consistent=true `+
		`tiercache.l1.outcome=skipped tiercache.l2.outcome=skipped tiercache.operation.name=set tiercache.policy.name=sequential`+"\n"+
		`  "tiercache: set (sequential): l2 stage failed: backends: the value cannot be encoded: json: unsupported type chan int; `+
		`l1 skipped; l2 skipped; neither tier was changed"`+"\n", c.Tree())
}
