// Package turn orders operations on one key, first come, first served, without
// making operations on other keys wait.
//
// A [Table] is a fixed number of buckets. A bucket that holds one operation is a
// single pointer, taken and given back by compare-and-swap. As soon as a second
// one comes, of the same key or of another, the bucket becomes a list under a
// lock, until it is empty again. The lock is held only to link and unlink
// operations, never while one of them runs. A table takes memory for operations
// under way, and none for keys.
package turn

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by [Table.Acquire] after [Table.Close] was called.
var ErrClosed = errors.New("closed")

const buckets = 256

// Table gives turns. Use [NewTable]. It is safe for concurrent use.
type Table struct {
	seed     maphash.Seed
	buckets  [buckets]bucket
	sabotage sabotage
}

type bucket struct {
	sole atomic.Pointer[Turn] // the only operation of the bucket, or inList

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

// Turn is an operation's place. The zero value is ready; it may be used again
// after Leave. The caller owns the memory.
type Turn struct {
	key    string
	bucket *bucket
	next   *Turn // in the list of holders
	refill bool  // holds the turn, but is no write
	waited time.Duration

	first, last *waiter // who waits for this holder
}

type waiter struct {
	turn  *Turn
	next  *waiter
	ready chan struct{} // closed when turn has become the holder
}

// NewTable returns an empty Table.
func NewTable() *Table {
	tb := &Table{seed: maphash.MakeSeed()}
	tb.sabotage.noTurns, tb.sabotage.noFences = Sabotage.NoTurns, Sabotage.NoFences
	return tb
}

func (tb *Table) bucket(key string) *bucket {
	return &tb.buckets[maphash.String(tb.seed, key)%buckets]
}

// Acquire makes t the holder of key's turn. It waits for those who came before,
// until ctx ends; then it returns the cause, and t holds nothing. After Close it
// returns [ErrClosed].
func (tb *Table) Acquire(ctx context.Context, t *Turn, key string) error {
	if tb.sabotage.noTurns {
		key = tb.sabotage.anyKey()
	}
	b := tb.bucket(key)
	t.key, t.bucket, t.refill, t.waited = key, b, false, 0
	if b.sole.CompareAndSwap(nil, t) {
		return nil
	}
	return b.acquire(ctx, t)
}

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

// Waited returns how long the holder had to wait for its turn; 0: not at all.
func (t *Turn) Waited() time.Duration { return t.waited }

// Pass gives the turn to the next in line. The operation stays present, so that
// Close goes on waiting for it, until Leave.
func (t *Turn) Pass() {
	t.bucket.lock()
	t.bucket.pass(t)
	t.bucket.unlock()
}

// Leave ends the presence of an operation that has passed its turn on.
func (t *Turn) Leave() {
	b := t.bucket
	t.forget()
	b.lock()
	b.leave()
	b.unlock()
}

// Release is Pass and Leave in one.
func (t *Turn) Release() {
	b := t.bucket
	if b.sole.CompareAndSwap(t, nil) {
		return
	}
	b.lock()
	b.pass(t)
	b.leave()
	b.unlock()
	t.forget()
}

// Close lets no more operations in and waits until those that are present have
// left, or until ctx ends: then it returns an error that wraps the cause and
// says how many are still there. It may be called again, to go on waiting.
func (tb *Table) Close(ctx context.Context) error {
	for i := range tb.buckets {
		tb.buckets[i].close()
	}
	for i := range tb.buckets {
		select {
		case <-tb.buckets[i].idle:
		default:
			select {
			case <-tb.buckets[i].idle:
			case <-ctx.Done():
				return fmt.Errorf("operations still under way: %d: %w", tb.present(), context.Cause(ctx))
			}
		}
	}
	return nil
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

func (tb *Table) present() (n int) {
	for i := range tb.buckets {
		b := &tb.buckets[i]
		b.lock()
		n += b.present
		b.unlock()
	}
	return n
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
				b.present++
				b.insert(sole)
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

func (t *Turn) enqueue(w *waiter) {
	if t.last == nil {
		t.first = w
	} else {
		t.last.next = w
	}
	t.last = w
}

func (t *Turn) remove(w *waiter) {
	var before *waiter
	for at := t.first; at != w; at = at.next {
		before = at
	}
	if before == nil {
		t.first = w.next
	} else {
		before.next = w.next
	}
	if t.last == w {
		t.last = before
	}
}

func (t *Turn) forget() { *t = Turn{} }
