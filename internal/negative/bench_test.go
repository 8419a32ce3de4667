package negative_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tiercache/tiercache/internal/negative"
)

// One more key costs the same, however many are remembered.
func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("remembered=%d", n), func(b *testing.B) {
			s, keys := full(b, n)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				s.Add(keys[i%len(keys)])
				i++
			}
		})
	}
}

// The cost of every write.
func BenchmarkDrop(b *testing.B) {
	for _, n := range []int{0, 10, 10_000} {
		b.Run(fmt.Sprintf("remembered=%d", n), func(b *testing.B) {
			s := negative.New(time.Hour, 10_000)
			for i := range n {
				s.Add(strconv.Itoa(i))
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Drop("user:4711")
			}
		})
	}
}

// The cost of a write while readers add absent keys without a pause.
func BenchmarkDropBesideAdd(b *testing.B) {
	s, keys := full(b, 10_000)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for g := range 2 {
		wg.Go(func() {
			for i := g; !stop.Load(); i += 2 {
				s.Add(keys[i%len(keys)])
			}
		})
	}
	for b.Loop() {
		s.Drop("user:4711")
	}
	stop.Store(true)
	wg.Wait()
}
