package turn_test

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

	"github.com/tiercache/tiercache/internal/turn"
)

func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := turn.NewTable()
		var holder turn.Turn
		require.NoError(t, table.Acquire(t.Context(), &holder, "k"))

		var order []int
		for i := range 5 {
			go func() {
				var mine turn.Turn
				assert.NoError(t, table.Acquire(t.Context(), &mine, "k"))
				order = append(order, i)
				mine.Release()
			}()
			synctest.Wait() // so that they queue in this order
		}
		assert.Empty(t, order)
		holder.Release()
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
	})
}

func TestOtherKeysDoNotWait(t *testing.T) {
	t.Parallel()
	table := turn.NewTable()
	turns := make([]turn.Turn, 2000) // more than there are buckets, all held at once
	for i := range turns {
		require.NoError(t, table.Acquire(t.Context(), &turns[i], fmt.Sprint(i)))
	}
	for i := range turns {
		turns[i].Release()
	}
	require.NoError(t, table.Close(t.Context()))
}

func TestWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := turn.NewTable()
		gone := errors.New("gone")
		var holder turn.Turn
		require.NoError(t, table.Acquire(t.Context(), &holder, "k"))

		// Three wait; the first, the middle and the last of them leave in turn.
		for _, leaver := range []int{0, 1, 2} {
			ctx, cancel := context.WithCancelCause(t.Context())
			var served []int
			for i := range 3 {
				go func() {
					var mine turn.Turn
					waitFor := map[bool]context.Context{true: ctx, false: t.Context()}[i == leaver]
					if err := table.Acquire(waitFor, &mine, "k"); err != nil { //nolint:contextcheck // one of the two
						assert.ErrorIs(t, err, gone)
						return
					}
					served = append(served, i)
					mine.Release()
				}()
				synctest.Wait()
			}
			cancel(gone)
			synctest.Wait()
			holder.Release()
			synctest.Wait()
			assert.Len(t, served, 2)
			assert.NotContains(t, served, leaver)
			require.NoError(t, table.Acquire(t.Context(), &holder, "k"))
		}
		holder.Release()
	})
}

func TestCloseWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := turn.NewTable()
		var holder, late turn.Turn
		require.NoError(t, table.Acquire(t.Context(), &holder, "k"))
		waited := false
		go func() {
			var mine turn.Turn
			assert.NoError(t, table.Acquire(t.Context(), &mine, "k"))
			waited = true
			mine.Release()
		}()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := table.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "operations still under way: 2")
		require.ErrorIs(t, table.Acquire(t.Context(), &late, "other"), turn.ErrClosed)

		closed := false
		go func() {
			assert.NoError(t, table.Close(t.Context()))
			closed = true
		}()
		holder.Pass()
		synctest.Wait()
		assert.True(t, waited, "those who waited when Close was called are served")
		assert.False(t, closed, "the holder has passed its turn on but not left")
		holder.Leave()
		synctest.Wait()
		assert.True(t, closed)
	})
}

func TestTableConcurrentSafe(t *testing.T) {
	t.Parallel()
	table := turn.NewTable()
	const keys = 3
	var held [keys]int // guarded by the turns, which is what the race detector checks
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			var mine turn.Turn
			for range 300 {
				k := rand.IntN(keys)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(200))*time.Microsecond)
				if table.Acquire(ctx, &mine, fmt.Sprint(k)) == nil {
					held[k]++
					if rand.IntN(2) == 0 {
						mine.Release()
					} else {
						mine.Pass()
						mine.Leave()
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.NoError(t, table.Close(t.Context()))
}
