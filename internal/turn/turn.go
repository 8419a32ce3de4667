// Package turn orders operations on one key, first come, first served, without
// making operations on other keys wait.
//
// A [Table] is a fixed number of buckets. A bucket that holds one operation, be it
// a turn, a fence, or a turn that was acquired behind a fence, is a single pointer,
// taken and given back by compare-and-swap. As soon as a second one comes, of the
// same key or of another, the bucket becomes a list under a lock, until it is empty
// again. The lock is held only to link and unlink operations, never while one of
// them runs. A table takes memory for operations under way, and none for keys.
package turn

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
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

// Turn is an operation's place. The zero value is ready; it may be used again
// after Leave. The caller owns the memory.
type Turn struct {
	key    string
	bucket *bucket
	next   *Turn // in the list of holders
	refill bool  // holds the turn, but is no write
	waited time.Duration
	fence  *Fence // behind which it was acquired

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
	t.key, t.bucket, t.refill, t.waited, t.fence = key, b, false, 0, nil
	if b.sole.CompareAndSwap(nil, t) {
		return nil
	}
	return b.acquire(ctx, t)
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
	var left *Turn
	if t.fence != nil {
		left = &t.fence.token // it is not lowered yet
	}
	if b.sole.CompareAndSwap(t, left) {
		t.fence = nil // what it is part of may be large
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

func (tb *Table) present() (n int) {
	for i := range tb.buckets {
		b := &tb.buckets[i]
		b.lock()
		n += b.present
		b.unlock()
	}
	return n
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
