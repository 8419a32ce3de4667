package keylock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/keylock"
)

func TestAcquire_FirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := keylock.NewTable()
		var holder keylock.Lock
		require.NoError(t, table.Acquire(t.Context(), &holder, "k"))
		assert.Zero(t, holder.Waited())

		var order []int
		for i := range 5 {
			go func() {
				var l keylock.Lock
				assert.NoError(t, table.Acquire(t.Context(), &l, "k"))
				assert.Equal(t, time.Minute, l.Waited())
				order = append(order, i)
				l.Unlock()
			}()
			synctest.Wait() // so that they queue in this order
		}
		assert.Empty(t, order)
		<-time.After(time.Minute)
		holder.Unlock()
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
		assert.True(t, table.Untouched())
	})
}

func TestAcquire_OtherKeysDoNotWait(t *testing.T) {
	t.Parallel()
	table := keylock.NewTable()
	locks := make([]keylock.Lock, 2000) // more than there are buckets, all held at once
	for i := range locks {
		require.NoError(t, table.Acquire(t.Context(), &locks[i], fmt.Sprint(i)))
	}
	for i := range locks {
		locks[i].Unlock()
	}
	assert.True(t, table.Untouched())
}

func TestAcquire_WaitEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := keylock.NewTable()
		gone := errors.New("gone")
		var holder keylock.Lock
		require.NoError(t, table.Acquire(t.Context(), &holder, "k"))

		// Three wait. The first, the middle and the last of them is cancelled.
		for _, cancelled := range []int{0, 1, 2} {
			ctx, cancel := context.WithCancelCause(t.Context())
			var served []int
			for i := range 3 {
				go func() {
					var l keylock.Lock
					waitFor := map[bool]context.Context{true: ctx, false: t.Context()}[i == cancelled]
					if err := table.Acquire(waitFor, &l, "k"); err != nil { //nolint:contextcheck // one of the two
						assert.ErrorIs(t, err, gone)
						assert.Equal(t, keylock.Lock{}, l)
						return
					}
					served = append(served, i)
					l.Unlock()
				}()
				synctest.Wait()
			}
			cancel(gone)
			synctest.Wait()
			holder.Unlock()
			synctest.Wait()
			assert.Len(t, served, 2)
			assert.NotContains(t, served, cancelled)
			require.NoError(t, table.Acquire(t.Context(), &holder, "k"))
		}
		holder.Unlock()
		assert.True(t, table.Untouched())
	})
}

// A waiter that is cancelled while it gets the lock either has the lock or hands
// it on. Both happen: select chooses.
func TestAcquire_CancelledAtHandoff(t *testing.T) {
	t.Parallel()
	var acquired, cancelled int
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			table := keylock.NewTable()
			var holder keylock.Lock
			require.NoError(t, table.Acquire(t.Context(), &holder, "k"))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				var l keylock.Lock
				if table.Acquire(ctx, &l, "k") == nil {
					acquired++
					l.Unlock()
				} else {
					cancelled++
				}
			}()
			synctest.Wait()
			var last keylock.Lock
			go func() {
				assert.NoError(t, table.Acquire(t.Context(), &last, "k"))
				last.Unlock()
			}()
			synctest.Wait()
			cancel()
			holder.Unlock()
			synctest.Wait()
			assert.True(t, table.Untouched())
		})
	}
	assert.Equal(t, 100, acquired+cancelled)
}

func TestClose_Waits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := keylock.NewTable()
		var holder, late keylock.Lock
		require.NoError(t, table.Acquire(t.Context(), &holder, "k"))
		served := false
		go func() {
			var l keylock.Lock
			assert.NoError(t, table.Acquire(t.Context(), &l, "k"))
			served = true
			l.Unlock()
		}()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := table.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "operations still under way: 2")
		require.ErrorIs(t, table.Acquire(t.Context(), &late, "other"), keylock.ErrClosed)

		closed := false
		go func() {
			assert.NoError(t, table.Close(t.Context()))
			closed = true
		}()
		holder.Handoff()
		synctest.Wait()
		assert.True(t, served, "a waiter that came before Close is served")
		assert.False(t, closed, "the operation that handed the lock on is not done")
		holder.Done()
		synctest.Wait()
		assert.True(t, closed)
		require.NoError(t, table.Close(ctx), "nothing is left to wait for, so the end of ctx does not matter")
	})
}

// An operation that meets no other does not allocate, and neither does one whose
// bucket is shared with another key.
func TestAcquire_Allocs(t *testing.T) {
	table := keylock.NewTable()
	var l, held keylock.Lock
	var f keylock.Fence
	one := func() {
		require.NoError(t, table.Acquire(t.Context(), &l, "k"))
		l.Unlock()
		require.NoError(t, table.Raise(&f, "k"))
		require.NoError(t, table.AcquireRefill(t.Context(), &l, &f))
		l.Unlock()
		f.Lower()
	}
	assert.Zero(t, testing.AllocsPerRun(100, one), "alone")
	assert.False(t, table.Shared("k"))

	require.NoError(t, table.Acquire(t.Context(), &held, sameBucket(table, "k")))
	assert.Zero(t, testing.AllocsPerRun(100, one), "in a shared bucket")
	assert.True(t, table.Shared("k"))
	held.Unlock()
	assert.True(t, table.Untouched())
}

// sameBucket returns another key of the same bucket.
func sameBucket(table *keylock.Table, key string) string { //nolint:unparam // it says which
	for i := 0; ; i++ {
		if other := fmt.Sprint(key, i); table.SharesBucket(key, other) {
			return other
		}
	}
}

func TestTable_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	table := keylock.NewTable()
	const keys = 3
	var held [keys]int // guarded by the locks: the race detector checks that
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			var l keylock.Lock
			for range 300 {
				k := rand.IntN(keys)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(200))*time.Microsecond)
				if table.Acquire(ctx, &l, fmt.Sprint(k)) == nil {
					held[k]++
					if rand.IntN(2) == 0 {
						l.Unlock()
					} else {
						l.Handoff()
						l.Done()
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
	assert.True(t, table.Untouched())
	require.NoError(t, table.Close(t.Context()))
}
