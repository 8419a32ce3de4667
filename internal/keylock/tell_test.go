package keylock_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/keylock"
)

// News of a change break the fences of the key, and go to the holder of its lock.
func TestTell(t *testing.T) {
	t.Parallel()
	for name, crowd := range map[string]bool{"alone in the bucket": false, "in a shared bucket": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := keylock.NewTable()
			other := sameBucket(tb, "k")
			var f, ofOther keylock.Fence
			var l, l2, news keylock.Lock
			if crowd {
				require.NoError(t, tb.Raise(&ofOther, other))
			}
			require.Equal(t, keylock.ToldNobody, tb.Tell(&news, "k", 1, false))
			require.NoError(t, tb.Raise(&f, "k"))
			assert.False(t, f.Broken(), "the news are no write that goes on")
			require.Equal(t, keylock.ToldHolder, tb.Tell(&l2, "k", 2, false), "of other news")
			assert.Equal(t, keylock.Lock{}, l2)
			assert.True(t, f.Broken())
			news.Unlock()
			f.Lower()

			require.NoError(t, tb.Raise(&f, "k"))
			require.Equal(t, keylock.ToldNobody, tb.Tell(&news, "k", 1, false))
			assert.True(t, f.Broken())
			news.Unlock()
			f.Lower()

			require.NoError(t, tb.Acquire(t.Context(), &l, "k"))
			require.Equal(t, keylock.ToldHolder, tb.Tell(&news, "k", 1, false))
			require.Equal(t, keylock.ToldHolder, tb.Tell(&news, "k", 3, true))
			told, foreign := l.BeginStore()
			assert.Equal(t, backends.Version(3), told)
			assert.Equal(t, 1, foreign)
			assert.Zero(t, tb.Unsettled())
			require.Equal(t, keylock.ToldStoring, tb.Tell(&news, "k", 4, true))
			require.Equal(t, keylock.ToldStoring, tb.Tell(&news, "k", 5, false))
			assert.EqualValues(t, 2, tb.Unsettled())
			told, foreign = l.EndStore(tb)
			assert.Equal(t, backends.Version(5), told)
			assert.Equal(t, 1, foreign)
			assert.Zero(t, tb.Unsettled())
			require.Equal(t, keylock.ToldStoring, tb.Tell(&news, "k", 6, true), "it is not done yet")
			told, _ = l.EndStore(tb)
			assert.Equal(t, backends.Version(6), told)
			told, foreign = l.EndStore(tb)
			assert.Zero(t, told)
			assert.Zero(t, foreign)
			require.Equal(t, keylock.ToldTooLate, tb.Tell(&news, "k", 7, false))
			l.Unlock()

			require.NoError(t, tb.Acquire(t.Context(), &l, "k"))
			told, foreign = l.BeginStore()
			assert.Zero(t, told, "the news of an earlier holder")
			assert.Zero(t, foreign)
			l.Unlock()
			assert.False(t, ofOther.Broken())
			if crowd {
				ofOther.Lower()
			}
			assert.True(t, tb.Untouched())
			require.NoError(t, tb.Close(t.Context()))
			require.Equal(t, keylock.ToldTooLate, tb.Tell(&news, "k", 1, false))
		})
	}
}

// The holder is told, and not those who wait behind it.
func TestTell_Waiter(t *testing.T) {
	t.Parallel()
	tb := keylock.NewTable()
	var holder, waiter, news keylock.Lock
	require.NoError(t, tb.Acquire(t.Context(), &holder, "k"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.NoError(t, tb.Acquire(t.Context(), &waiter, "k"))
	}()
	require.Equal(t, keylock.ToldHolder, tb.Tell(&news, "k", 1, false))
	holder.Unlock()
	<-done
	told, _ := waiter.BeginStore()
	assert.Zero(t, told)
	waiter.Unlock()
	assert.True(t, tb.Untouched())
}

func TestBreakAll(t *testing.T) {
	t.Parallel()
	tb := keylock.NewTable()
	keys := []string{"k", sameBucket(tb, "k"), "other"}
	fences := make([]keylock.Fence, 2*len(keys))
	for i := range fences {
		require.NoError(t, tb.Raise(&fences[i], keys[i%len(keys)]))
	}
	tb.BreakAll()
	for i := range fences {
		assert.True(t, fences[i].Broken())
		fences[i].Lower()
	}
	assert.True(t, tb.Untouched())
}
