package keylock_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/keylock"
)

// An operation that meets no other.
func BenchmarkUncontended(b *testing.B) {
	tb, ctx := keylock.NewTable(), context.Background()
	b.Run("op=write", func(b *testing.B) {
		var l keylock.Lock
		b.ReportAllocs()
		for b.Loop() {
			if err := tb.Acquire(ctx, &l, "user:4711"); err != nil {
				b.Fatal(err)
			}
			l.Unlock()
		}
	})
	b.Run("op=refill", func(b *testing.B) {
		var l keylock.Lock
		var f keylock.Fence
		b.ReportAllocs()
		for b.Loop() {
			if err := tb.Raise(&f, "user:4711"); err != nil {
				b.Fatal(err)
			}
			if err := tb.AcquireRefill(ctx, &l, &f); err != nil {
				b.Fatal(err)
			}
			l.Unlock()
			f.Lower()
		}
	})
}

// A write while operations on other keys are under way. To compare: n=0.
func BenchmarkOtherKeys(b *testing.B) {
	for _, n := range []int{0, 500, 50_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			tb, ctx := keylock.NewTable(), context.Background()
			held, fences := make([]keylock.Lock, n/2), make([]keylock.Fence, n/2)
			for i := range held {
				require.NoError(b, tb.Acquire(ctx, &held[i], fmt.Sprint("held:", i)))
				require.NoError(b, tb.Raise(&fences[i], fmt.Sprint("read:", i)))
			}
			keys := make([]string, 1024)
			for i := range keys {
				keys[i] = fmt.Sprint("user:", i)
			}
			var l keylock.Lock
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if err := tb.Acquire(ctx, &l, keys[i%len(keys)]); err != nil {
					b.Fatal(err)
				}
				l.Unlock()
				i++
			}
		})
	}
}

// Writes of one key by many goroutines, all of which wait when the first begins.
func BenchmarkOneKey(b *testing.B) {
	for _, goroutines := range []int{2, 16, 1024} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			tb, ctx := keylock.NewTable(), b.Context()
			var first keylock.Lock
			require.NoError(b, tb.Acquire(ctx, &first, "k"))
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					var l keylock.Lock
					for left.Add(-1) >= 0 {
						if tb.Acquire(ctx, &l, "k") == nil {
							runtime.Gosched() // so that the others queue again
							l.Unlock()
						}
					}
				})
			}
			b.ReportAllocs()
			b.ResetTimer()
			first.Unlock()
			wg.Wait()
		})
	}
}

// All waiters of one key are cancelled at once. The time for each should not
// depend on their number.
func BenchmarkCancelWaiters(b *testing.B) {
	for _, n := range []int{1_000, 32_000} {
		b.Run(fmt.Sprintf("waiters=%d", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				tb := keylock.NewTable()
				var holder keylock.Lock
				require.NoError(b, tb.Acquire(b.Context(), &holder, "k"))
				ctx, cancel := context.WithCancel(b.Context())
				var wg, started sync.WaitGroup
				started.Add(n)
				for range n {
					wg.Go(func() {
						var l keylock.Lock
						started.Done()
						_ = tb.Acquire(ctx, &l, "k")
					})
				}
				started.Wait()
				b.StartTimer()
				cancel()
				wg.Wait()
				b.StopTimer()
				holder.Unlock()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/waiter")
		})
	}
}
