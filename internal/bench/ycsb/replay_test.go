package ycsb

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// The first key is a record, the second is inserted by the first operation.
func testReplay(set func() error) *replay {
	return &replay{
		trace: &trace{keys: []string{"a", "b"}, records: 1, ops: []operation{
			{kind: insert, key: 1, after: 0},
			{kind: read, key: 1, after: 0},
			{kind: modify, key: 0, after: none},
		}},
		cache: &driver.Cache{
			Get: func(_ context.Context, key string) ([]byte, bool, error) { return nil, key == "a", nil },
			Set: func(context.Context, string, []byte) error { return set() },
		},
		value:    func(int) []byte { return nil },
		inserted: make([]atomic.Bool, 1),
	}
}

// While an insert is under way, nobody asks for its key.
func TestReplaySkipsKeysUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := atomic.Bool{}
		r := testReplay(func() error {
			if first.CompareAndSwap(false, true) {
				time.Sleep(time.Hour)
			}
			return nil
		})
		all, err := r.run(t.Context(), 3, 2)
		require.NoError(t, err)
		assert.Equal(t, 2, all.done)
		assert.Len(t, all.reads, 1)
		assert.Equal(t, []time.Duration{0, time.Hour}, all.writes)
		assert.Zero(t, all.missing)
	})
}

// One thread asks when the insert is done, and the cache has lost the record.
func TestReplayCountsMissing(t *testing.T) {
	t.Parallel()
	all, err := testReplay(func() error { return nil }).run(t.Context(), 3, 1)
	require.NoError(t, err)
	assert.Equal(t, 3, all.done)
	assert.Len(t, all.reads, 2)
	assert.Len(t, all.writes, 2)
	assert.Equal(t, 1, all.missing)
}

func TestReplayFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := testReplay(func() error { return broken }).run(t.Context(), 3, 1)
	require.ErrorIs(t, err, broken)
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var sorted []time.Duration
	assert.Zero(t, quantile(sorted, 0.5))
	for i := range 100 {
		sorted = append(sorted, time.Duration(i))
	}
	assert.InDelta(t, 50.0, quantile(sorted, 0.5), 0)
	assert.InDelta(t, 99.0, quantile(sorted, 0.99), 0)
	assert.InDelta(t, 99.0, quantile(sorted, 1), 0)
}
