package turn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

type bucket struct {
	// The only operation of the bucket, or inList. Of a fence it is the token; a turn
	// that was acquired behind a fence stands for both.
	sole atomic.Pointer[Turn]

	mu      sync.Mutex    // guards what follows, once sole is inList
	holders *Turn         // a list: one for each key of the bucket that is taken
	fences  *Fence        // a list
	present int           // fences, and turns that were acquired or are awaited, until Leave
	closed  bool          // no turn may be acquired any more
	idle    chan struct{} // made by Close if present > 0, closed at 0

	_ [8]byte // a bucket to a cache line, so that buckets do not share one
}

// inList takes the place of the sole operation in a bucket that is a list. It is
// never changed.
var inList = new(Turn)

func (b *bucket) acquire(ctx context.Context, t *Turn) error {
	b.lock()
	if b.closed {
		b.unlock()
		t.forget()
		return ErrClosed
	}
	b.breakFences(t.key, nil)
	return b.queue(ctx, t)
}

// queue makes t the holder, or waits until it is. It is called locked and
// returns unlocked.
func (b *bucket) queue(ctx context.Context, t *Turn) error {
	b.present++
	holder := b.find(t.key)
	if holder == nil {
		b.insert(t)
		b.unlock()
		return nil
	}
	w := &waiter{turn: t, ready: make(chan struct{})}
	holder.enqueue(w)
	b.unlock()
	return b.wait(ctx, w)
}

func (b *bucket) wait(ctx context.Context, w *waiter) error {
	begin := time.Now()
	select {
	case <-w.ready:
		w.turn.waited = time.Since(begin)
		return nil
	case <-ctx.Done():
	}
	b.lock()
	if holder := b.find(w.turn.key); holder != w.turn {
		holder.remove(w)
	} else {
		b.pass(w.turn) // the turn came at the same moment, and is not wanted
	}
	b.leave()
	b.unlock()
	w.turn.forget()
	return context.Cause(ctx)
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

// lock makes the bucket a list and locks it.
func (b *bucket) lock() {
	b.mu.Lock()
	for {
		sole := b.sole.Load()
		if sole == inList {
			return
		}
		if b.sole.CompareAndSwap(sole, inList) {
			if sole != nil {
				b.adopt(sole)
			}
			return
		}
	}
}

// unlock unlocks the bucket, which is no list any more if it is empty. A closed
// bucket remains one, so that nobody passes by the lock.
func (b *bucket) unlock() {
	if b.present == 0 && !b.closed {
		b.sole.Store(nil)
	}
	b.mu.Unlock()
}

// What follows is called with the bucket locked.

// adopt makes what was alone in the bucket part of its lists.
func (b *bucket) adopt(t *Turn) {
	f := t.fence
	if f != nil {
		b.add(f)
	}
	if f == nil || t != &f.token {
		b.present++
		b.insert(t)
	}
}

func (b *bucket) add(f *Fence) {
	b.present++
	f.next, b.fences = b.fences, f
}

func (b *bucket) insert(t *Turn) { t.next, b.holders = b.holders, t }

func (b *bucket) find(key string) *Turn {
	for t := b.holders; t != nil; t = t.next {
		if t.key == key {
			return t
		}
	}
	return nil
}

// pass puts the first waiter in the holder's place, or takes the holder out.
func (b *bucket) pass(t *Turn) {
	at := &b.holders
	for *at != t {
		at = &(*at).next
	}
	w := t.first
	if w == nil {
		*at = t.next
		return
	}
	heir := w.turn
	heir.next, heir.first, heir.last = t.next, w.next, t.last
	if heir.first == nil {
		heir.last = nil
	}
	*at = heir
	close(w.ready)
}

func (b *bucket) leave() {
	b.present--
	if b.closed && b.present == 0 {
		close(b.idle)
	}
}
