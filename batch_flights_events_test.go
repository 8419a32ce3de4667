package tiercache_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// The values of a batch of loads are written when it has returned: each event is on the span
// of a tier's call, which lasts as long as the call.
func TestGetOrLoadMany_EventsLater(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		t.Helper()
		r := newRecorder()
		n := newNode(t, append(r.options(), tiercache.WithAsyncLoadWrites(), tiercache.WithWritePolicy(p))...)
		n.l2.Next(tier.Set, backendtest.Chain(backendtest.Delay(time.Second), backendtest.Lose(errRefused)))
		_, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, loadAll(new(atomic.Int32), "a"))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.NoError(t, n.Close(t.Context()))
		require.Len(t, r.Inconsistencies(), 3)
		events := 0
		for _, s := range r.Spans() {
			events += len(s.Events())
			want := time.Duration(0)
			if s.Name() == "set_many users l2" {
				want = time.Second
			}
			assert.Equal(t, want, s.EndTime().Sub(s.StartTime()), s.Name())
		}
		assert.Equal(t, 3, events)
		tree := r.Tree()
		assert.Equal(t, 1, strings.Count(tree, "tiercache.batch.inconsistencies=3"), tree)
		assert.Contains(t, tree, "tiercache.consistent=false")
		assert.Equal(t, 1, strings.Count(tree, "set_many users l2"), tree)
	})
}

// No event: the spans of the calls end all the same.
func TestGetOrLoadMany_SpansLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		n := newNode(t, append(r.options(), tiercache.WithAsyncLoadWrites())...)
		_, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, loadAll(new(atomic.Int32), "a"))
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, n.Close(t.Context()))
		tree := r.Tree()
		assert.Equal(t, 1, strings.Count(tree, "set_many users l1"), tree)
		assert.Equal(t, 1, strings.Count(tree, "set_many users l2"), tree)
	})
}
