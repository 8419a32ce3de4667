package otterbackend

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/maypok86/otter/v2"
)

// Otter could free expired entries itself, by a timer wheel. That costs each entry 24
// bytes for a second expiry and two links, which the garbage collector follows, and each
// hit and each write a part of its time. The store frees them by walks instead: as long
// as none has expired, they cost nothing.

// sweepInterval is how often the store looks whether an entry has expired.
const sweepInterval = time.Second

// sweepRest is how long it rests after a walk, in durations of that walk, so that walks
// take no more than a hundredth of one processor.
const sweepRest = 100

// due is the instant of the first expiry, as far as it is known, in Unix time in
// nanoseconds.
type due struct{ at atomic.Int64 }

// reset says that no expiry is known.
func (d *due) reset() { d.at.Store(math.MaxInt64) }

// add notes an expiry.
func (d *due) add(at int64) {
	if at == never {
		return
	}
	for first := d.at.Load(); at < first; first = d.at.Load() {
		if d.at.CompareAndSwap(first, at) {
			return
		}
	}
}

// sweep frees the entries that nobody needs at now.
func (b *Backend[V]) sweep(now int64) {
	if b.due.at.Load() > now {
		return
	}
	// Set adds its expiry after the entry is there. So the walk finds the entry, or
	// the expiry is added after this.
	b.due.reset()
	for key, item := range b.cache.All() {
		if at := item.forgetAt(); at == never || at > now {
			b.due.add(at)
			continue
		}
		b.cache.ComputeIfPresent(key, func(item Item[V]) (Item[V], otter.ComputeOp) {
			if at := item.forgetAt(); at == never || at > now {
				return item, otter.CancelOp
			}
			return item, otter.InvalidateOp
		})
	}
}

// startSweeper starts the goroutine that sweeps, and returns the function that stops it
// and waits for it. It ends too when b can no longer be reached.
func startSweeper[V any](b *Backend[V]) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() { close(ended) })
	runtime.AddCleanup(b, func(end func()) { end() }, end)
	pointer := weak.Make(b)
	go func() {
		defer close(done)
		ticker := time.NewTicker(sweepInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
			b := pointer.Value()
			if b == nil {
				return
			}
			if took := b.maintain(); took*sweepRest > sweepInterval {
				ticker.Reset(took * sweepRest)
			} else {
				ticker.Reset(sweepInterval)
			}
		}
	}()
	return func() {
		end()
		<-done
	}
}

// maintain does what no call has done, and returns how long that took.
func (b *Backend[V]) maintain() (took time.Duration) {
	begin := time.Now()
	b.sweep(begin.UnixNano())
	b.cache.CleanUp()
	return time.Since(begin)
}
