package turn_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/turn"
)

func TestFence(t *testing.T) {
	t.Parallel()
	acquire := func(t *testing.T, tb *turn.Table, key string) *turn.Turn {
		t.Helper()
		w := new(turn.Turn)
		require.NoError(t, tb.Acquire(t.Context(), w, key))
		return w
	}
	for _, test := range []struct {
		name   string
		run    func(t *testing.T, tb *turn.Table, raise func())
		broken bool
	}{
		{"no write", func(_ *testing.T, _ *turn.Table, raise func()) { raise() }, false},
		{"a write before", func(t *testing.T, tb *turn.Table, raise func()) {
			acquire(t, tb, "k").Release()
			raise()
		}, false},
		{"a write after", func(t *testing.T, tb *turn.Table, raise func()) {
			raise()
			acquire(t, tb, "k").Release()
		}, true},
		{"a write that goes on", func(t *testing.T, tb *turn.Table, raise func()) {
			w := acquire(t, tb, "k")
			raise()
			w.Release()
		}, true},
		{"a write around it", func(t *testing.T, tb *turn.Table, raise func()) {
			w := acquire(t, tb, "k")
			raise()
			w.Pass()
			w.Leave()
		}, true},
		{"a write of another key", func(t *testing.T, tb *turn.Table, raise func()) {
			before := acquire(t, tb, "before")
			raise()
			for i := range 1000 { // some of them in the same bucket
				acquire(t, tb, fmt.Sprint(i)).Release()
			}
			before.Release()
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tb := turn.NewTable()
			var f turn.Fence
			test.run(t, tb, func() { require.NoError(t, tb.Raise(&f, "k")) })
			assert.Equal(t, test.broken, f.Broken())
			var mine turn.Turn
			err := tb.AcquireFenced(t.Context(), &mine, &f, true)
			if test.broken {
				require.ErrorIs(t, err, turn.ErrFenced)
			} else {
				require.NoError(t, err)
				mine.Release()
			}
			f.Lower()
			require.NoError(t, tb.Close(t.Context()))
			require.ErrorIs(t, tb.Raise(&f, "k"), turn.ErrClosed)
		})
	}
}

// A refill is no write: it breaks no fence, and another refill waits for it. A
// write that waits behind it has begun.
func TestRefillIsNoWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tb := turn.NewTable()
		var f1, f2, f3 turn.Fence
		var r1, r2, w turn.Turn
		require.NoError(t, tb.Raise(&f1, "k"))
		require.NoError(t, tb.Raise(&f2, "k"))
		require.NoError(t, tb.AcquireFenced(t.Context(), &r1, &f1, true))
		assert.False(t, f2.Broken())

		second := false
		go func() {
			assert.NoError(t, tb.AcquireFenced(t.Context(), &r2, &f2, true))
			second = true
		}()
		synctest.Wait()
		assert.False(t, second)

		written := false
		go func() {
			assert.NoError(t, tb.Acquire(t.Context(), &w, "k"))
			written = true
			w.Release()
		}()
		synctest.Wait()
		require.NoError(t, tb.Raise(&f3, "k"))
		assert.True(t, f1.Broken())
		assert.True(t, f3.Broken(), "raised while a write waits")

		r1.Release()
		synctest.Wait()
		assert.True(t, second, "it stood before the write")
		assert.False(t, written)
		r2.Release()
		synctest.Wait()
		assert.True(t, written)
		f1.Lower()
		f2.Lower()
		f3.Lower()
		require.NoError(t, tb.Close(t.Context()))
	})
}

// A read that is alone in its bucket takes no lock. Whoever comes finds it all the
// same, at each of its steps.
func TestFenceAlone(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	const raised, refilling, released = 0, 1, 2
	for step, name := range []string{"raised", "refilling", "released"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tb := turn.NewTable()
				var f turn.Fence
				var r, w turn.Turn
				require.NoError(t, tb.Raise(&f, "k"))
				if step >= refilling {
					require.NoError(t, tb.AcquireFenced(t.Context(), &r, &f, true))
				}
				if step >= released {
					r.Release()
				}
				written := false
				go func() {
					assert.NoError(t, tb.Acquire(t.Context(), &w, "k"))
					written = true
				}()
				synctest.Wait()
				assert.True(t, f.Broken())
				assert.Equal(t, step != refilling, written, "it waits for the refill alone")
				present := map[int]string{raised: "2", refilling: "3", released: "2"}[step]
				require.ErrorContains(t, tb.Close(ended), "under way: "+present)
				if step == raised {
					require.ErrorIs(t, tb.AcquireFenced(t.Context(), &r, &f, true), turn.ErrFenced)
				}
				if step == refilling {
					r.Release()
				}
				f.Lower()
				synctest.Wait()
				require.ErrorContains(t, tb.Close(ended), "under way: 1")
				w.Release()
				require.NoError(t, tb.Close(t.Context()))
			})
		})
	}
}

// A read that stays alone leaves nothing behind.
func TestFenceAlone_Close(t *testing.T) {
	t.Parallel()
	tb := turn.NewTable()
	var f turn.Fence
	var r turn.Turn
	for range 2 {
		require.NoError(t, tb.Raise(&f, "k"))
		require.NoError(t, tb.AcquireFenced(t.Context(), &r, &f, true))
		r.Release()
		assert.False(t, f.Broken())
		f.Lower()
	}
	require.NoError(t, tb.Close(t.Context()))
}

// A fenced write breaks the fences of others and not its own.
func TestFencedWrite(t *testing.T) {
	t.Parallel()
	tb := turn.NewTable()
	var own, other turn.Fence
	var w turn.Turn
	require.NoError(t, tb.Raise(&own, "k"))
	require.NoError(t, tb.Raise(&other, "k"))
	require.NoError(t, tb.AcquireFenced(t.Context(), &w, &own, false))
	assert.False(t, own.Broken())
	assert.True(t, other.Broken())
	w.Release()
	own.Lower()
	other.Lower()
	require.NoError(t, tb.Close(t.Context()))
}

// What is read under a fence that holds is never older than the last write.
func TestFenceConcurrentSafe(t *testing.T) {
	t.Parallel()
	tb := turn.NewTable()
	const keys = 3
	var source, copied [keys]int // both are written only by holders of the turn
	var mu [keys]sync.Mutex      // as a store has it: single accesses are atomic
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				k := rand.IntN(keys)
				var tn turn.Turn
				if rand.IntN(2) == 0 {
					assert.NoError(t, tb.Acquire(t.Context(), &tn, fmt.Sprint(k)))
					mu[k].Lock()
					source[k]++
					mu[k].Unlock()
					copied[k] = source[k]
					tn.Release()
					continue
				}
				var f turn.Fence
				assert.NoError(t, tb.Raise(&f, fmt.Sprint(k)))
				mu[k].Lock()
				read := source[k]
				mu[k].Unlock()
				if tb.AcquireFenced(t.Context(), &tn, &f, true) == nil {
					assert.LessOrEqual(t, copied[k], read)
					copied[k] = read
					tn.Release()
				}
				f.Lower()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, source, copied)
	require.NoError(t, tb.Close(t.Context()))
}
