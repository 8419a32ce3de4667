package keylock

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
)

type bucket struct {
	sole atomic.Pointer[occupant] // nil, the only operation, or sharedMarker

	mu      sync.Mutex // guards the fields below, while the bucket is shared
	entries map[string]*entry
	spare   *entry        // a list of unused entries
	present int           // operations that have not ended: locks, waiters and fences
	spares  int8          // in the list
	grown   bool          // entries has been large
	closed  bool          // no operation may begin any more
	idle    chan struct{} // made by close, closed when present is 0

	_ [56 - 6*bits.UintSize/8]byte // one bucket, one cache line, also where pointers are short
}

const (
	maxSpares = 4  // enough for keys that share a bucket by chance
	largeMap  = 32 // a map that was larger is dropped when the bucket is empty
)

// occupant is the operation that is alone in a bucket. Locks and fences contain
// one that refers to themselves. It does not change while a bucket points to it.
type occupant struct {
	lock  *Lock  // nil: the fence is raised, and nothing is locked
	fence *Fence // nil: the lock was acquired without one
}

// sharedMarker takes the place of the occupant in a shared bucket.
var sharedMarker = new(occupant)

// lock makes the bucket shared and locks its mutex.
func (b *bucket) lock() {
	b.mu.Lock()
	for {
		sole := b.sole.Load()
		if sole == sharedMarker {
			return
		}
		if b.sole.CompareAndSwap(sole, sharedMarker) {
			if sole != nil {
				b.adopt(sole)
			}
			return
		}
	}
}

// unlock unlocks the mutex. A bucket without operations is empty again, unless it
// is closed: then it stays shared, so that nobody gets in by compare-and-swap.
func (b *bucket) unlock() {
	if b.present == 0 && !b.closed {
		if b.grown {
			b.entries, b.grown = nil, false
		}
		b.sole.Store(nil)
	}
	b.mu.Unlock()
}

func (b *bucket) acquire(ctx context.Context, l *Lock) error {
	b.lock()
	if b.closed {
		b.unlock()
		l.reset()
		return ErrClosed
	}
	if e := b.entries[l.key]; e != nil {
		e.breakFences(nil)
	}
	return b.join(ctx, l)
}

// join makes l the holder, or waits until it is. It is called locked and returns
// unlocked.
func (b *bucket) join(ctx context.Context, l *Lock) error {
	b.present++
	if b.entry(l.key).add(l) {
		b.unlock()
		return nil
	}
	l.ready = make(chan struct{})
	b.unlock()
	return b.wait(ctx, l)
}

func (b *bucket) wait(ctx context.Context, l *Lock) error {
	if p, ok := ctx.(Pauser); ok {
		p.Pause()
		defer p.Resume()
	}
	begin := time.Now()
	select {
	case <-l.ready:
		l.waited = time.Since(begin)
		return nil
	case <-ctx.Done():
	}
	b.lock()
	if e := l.at; e.holder == l { // it got the lock at the same moment
		b.handoff(l)
	} else {
		e.remove(l)
	}
	b.leave()
	b.unlock()
	l.reset()
	return backends.ContextError(ctx)
}

func (b *bucket) close() {
	b.lock()
	defer b.unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.idle = make(chan struct{})
	if b.present == 0 {
		close(b.idle)
	}
}

// The methods below are called with the bucket locked.

// adopt moves the sole occupant of the bucket into an entry.
func (b *bucket) adopt(o *occupant) {
	if o.fence != nil {
		b.raise(o.fence)
	}
	if o.lock != nil {
		b.present++
		b.entry(o.lock.key).add(o.lock)
	}
}

// raise links f, or breaks it at once if a write is under way.
func (b *bucket) raise(f *Fence) {
	b.present++
	if e := b.entry(f.key); e.writes > 0 {
		f.broken.Store(true)
	} else {
		e.link(f)
	}
}

// handoff gives the lock of l to the first waiter.
func (b *bucket) handoff(l *Lock) {
	e := l.at
	if heir := e.next(); heir != nil {
		close(heir.ready)
		return
	}
	b.tidy(e)
}

// leave ends the presence of an operation.
func (b *bucket) leave() {
	b.present--
	if b.closed && b.present == 0 {
		close(b.idle)
	}
}

// entry returns the entry of key, which it makes if need be.
func (b *bucket) entry(key string) *entry {
	e := b.entries[key]
	if e != nil {
		return e
	}
	if e = b.spare; e != nil {
		b.spare, e.spare = e.spare, nil
		b.spares--
	} else {
		e = new(entry)
	}
	if b.entries == nil {
		b.entries = make(map[string]*entry)
	}
	e.key, b.entries[key] = key, e
	b.grown = b.grown || len(b.entries) > largeMap
	return e
}

// tidy removes an entry that is not used any more.
func (b *bucket) tidy(e *entry) {
	if e.holder != nil || e.fences != nil {
		return
	}
	delete(b.entries, e.key)
	e.key = ""
	if b.spares < maxSpares {
		b.spare, e.spare = e, b.spare
		b.spares++
	}
}
