package tiercache_test

import (
	"sync"
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

// A Get does not ask L2 for versions. Those who want them do not go by its answer, and share
// the next one.
func TestGetEntry_BesideAGet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, tiercache.WithRefill(tiercache.RefillNever))
		require.NoError(t, n.l2.Set(t.Context(), "k", backends.Entry[string]{Value: "v"}))
		n.l2.Always(tier.Get, backendtest.Delay(time.Second))
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, err := n.Get(t.Context(), "k")
			assert.NoError(t, err)
		})
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				e, ok, err := n.GetEntry(t.Context(), "k")
				assert.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, n.store.Remembers("k").Version, e.Version)
			})
		}
		wg.Wait()
		assert.Equal(t, 2, n.l2.Calls(tier.Get))
		require.NoError(t, n.Close(t.Context()))
	})
}

// An answer that has no version to give is shared by those who want one; and nobody else
// minds that it has none.
func TestGetEntry_BesideAGetOfNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stored bool
		read   func(t *testing.T, n node) error
	}{
		"entries of a key that L2 does not have": {false, func(t *testing.T, n node) error {
			t.Helper()
			_, _, err := n.GetEntry(t.Context(), "k")
			return err
		}},
		"values": {true, func(t *testing.T, n node) error {
			t.Helper()
			_, _, err := n.Get(t.Context(), "k")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, tiercache.WithRefill(tiercache.RefillNever))
				if test.stored {
					require.NoError(t, n.l2.Set(t.Context(), "k", backends.Entry[string]{Value: "v"}))
				}
				n.l2.Always(tier.Get, backendtest.Delay(time.Second))
				var wg sync.WaitGroup
				wg.Go(func() {
					_, _, err := n.Get(t.Context(), "k")
					assert.NoError(t, err)
				})
				synctest.Wait()
				for range 5 {
					wg.Go(func() { assert.NoError(t, test.read(t, n)) })
				}
				wg.Wait()
				assert.Equal(t, 1, n.l2.Calls(tier.Get))
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}
