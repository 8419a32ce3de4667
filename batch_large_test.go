package tiercache_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// measured is an L2 that notes how many writes it gets, and at once.
type measured struct {
	*backendtest.Client[string]
	mu              sync.Mutex
	largest, writes int
}

func (m *measured) WriteMany(ctx context.Context, writes []backends.Write[string], done []backends.Done) {
	m.mu.Lock()
	m.writes, m.largest = m.writes+len(writes), max(m.largest, len(writes))
	m.mu.Unlock()
	m.Client.WriteMany(ctx, writes, done)
}

// most returns the largest batch since the last call.
func (m *measured) most() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, m.largest = m.largest, 0
	return n
}

// Of a very large batch a part is under way at a time. Results and errors have the places of their
// keys all the same, and the later value of a key wins.
func TestBatch_Large(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in which no key is late
		const most, n = 5000, 2*5000 + 7
		l2 := &measured{Client: backendtest.NewStore[string]().Client()}
		c, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		keys := keysOf(n)
		keys[n-1], keys[n-2] = keys[0], ""
		largest, loaded := 0, 0
		found, err := c.GetOrLoadMany(t.Context(), keys, 0, func(_ context.Context, keys []string) (map[string]string, error) {
			largest, loaded = max(largest, len(keys)), loaded+len(keys)
			values := make(map[string]string, len(keys))
			for _, key := range keys {
				values[key] = "of " + key
			}
			return values, nil
		})
		failedAtLastButOne(t, err)
		for i, f := range found {
			if i != n-2 && (!f.OK || f.Value != "of "+keys[i]) {
				t.Fatalf("key %d has %v", i, f)
			}
		}
		assert.Equal(t, n-2, loaded)
		assert.Equal(t, most, largest)
		assert.Equal(t, most, l2.most())

		err = c.SetMany(t.Context(), func(yield func(string, string) bool) {
			for i, key := range keys {
				if !yield(key, map[bool]string{false: "new", true: "last"}[i == n-1]) {
					return
				}
			}
		}, 0)
		failedAtLastButOne(t, err)
		value, _, err := c.Get(t.Context(), keys[0])
		require.NoError(t, err)
		assert.Equal(t, "last", value)
		assert.Equal(t, most, l2.most())

		failedAtLastButOne(t, c.DeleteMany(t.Context(), keys))
		assert.Equal(t, most, l2.most())
		assert.Equal(t, 3*(n-1)-1, l2.writes)
		all, err := c.GetMany(t.Context(), keys)
		failedAtLastButOne(t, err)
		for i := range all {
			assert.False(t, all[i].OK)
		}
		require.NoError(t, c.Close(t.Context()))
	})
}

// failedAtLastButOne fails the test unless the batch failed for its last key but one alone, which is
// empty.
func failedAtLastButOne(t *testing.T, err error) {
	t.Helper()
	var failed *tiercache.BatchError
	require.ErrorAs(t, err, &failed)
	require.Len(t, failed.Errors, 1)
	assert.Equal(t, failed.Size-2, failed.Errors[0].Index)
	require.ErrorIs(t, failed.Errors[0].Err, tiercache.ErrInvalid)
}
