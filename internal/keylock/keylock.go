// Package keylock orders operations on one key, first come, first served. It
// never makes operations on other keys wait.
//
// Writes take the [Lock] of their key. A reader raises a [Fence] before it reads
// a value, and learns by it whether a write of the key has begun since.
//
// A [Table] has a fixed number of buckets, and each key belongs to one of them. A
// bucket is in one of three states, kept in one pointer:
//
//	empty    nil            no operation
//	sole     *occupant      one operation: a lock, a fence, or a lock and its fence
//	shared   sharedMarker   any number of operations, in a map under a mutex
//
// An operation that meets no other in its bucket moves it from empty to sole and
// back, by one compare-and-swap each, without allocating. (The budgets of
// Set/policy=*/telemetry=off pay for that; a mutex and a map cost 50 ns more.) A
// second operation, of the same key or of another, makes the bucket shared until
// it is empty again. The mutex is held to link and unlink operations, never while
// one of them runs.
//
// Each step takes constant time, however many operations are under way. A table
// takes memory for operations under way, and none for keys.
package keylock

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
)

// ErrClosed is returned by [Table.Acquire] and [Table.Raise] after [Table.Close]
// was called.
var ErrClosed = errors.New("closed")

// buckets is 32 KiB of memory a table, and few chance meetings of some hundred
// operations.
const buckets = 512

// Table holds the locks and fences of all keys. Use [NewTable]. It is safe for
// concurrent use.
type Table struct {
	seed      maphash.Seed
	buckets   [buckets]bucket
	unsettled atomic.Int64 // see Unsettled
}

// NewTable returns an empty Table.
func NewTable() *Table { return &Table{seed: maphash.MakeSeed()} }

func (tb *Table) bucket(key string) *bucket {
	return &tb.buckets[maphash.String(tb.seed, key)%buckets]
}

// TryAcquire is like Acquire, and reports false where Acquire may have to wait: if there
// is any other operation in the bucket of key.
func (tb *Table) TryAcquire(l *Lock, key string) bool {
	key = lockKey(key)
	b := tb.bucket(key)
	l.init(b, key)
	if b.sole.CompareAndSwap(nil, &l.self) {
		return true
	}
	l.reset()
	return false
}

// Acquire locks key for a write by l, and breaks every fence of key. It waits for
// those who came before, until ctx ends; then it returns the cause, and l holds
// nothing. After Close it returns [ErrClosed].
func (tb *Table) Acquire(ctx context.Context, l *Lock, key string) error {
	key = lockKey(key)
	b := tb.bucket(key)
	l.init(b, key)
	if b.sole.CompareAndSwap(nil, &l.self) {
		return nil
	}
	return b.acquire(ctx, l)
}

// Pauser is a context whose owner is told of waiting: a lock that is not free, and has to
// be waited for, is between Pause and Resume.
type Pauser interface {
	// Pause says that the wait begins.
	Pause()
	// Resume says that it has ended.
	Resume()
}

// Break breaks every fence of key that is raised now. It is for news of a write
// in another process, which takes no lock here: Break neither waits for the lock
// of key nor makes anybody wait.
//
// A fenced acquire that has not returned yet returns [ErrFenced]. One that has
// returned holds the lock: it is not stopped, but sees [Fence.Broken] from now on.
func (tb *Table) Break(key string) {
	b := tb.bucket(key)
	if b.sole.Load() == nil {
		return // a fence that is raised after this is not meant
	}
	b.lock()
	if e := b.entries[key]; e != nil {
		e.breakFences(nil)
		b.tidy(e)
	}
	b.unlock()
}

// Close lets no more operations in and waits until those that are present are
// done, or until ctx ends: then it returns an error that wraps the cause and says
// how many are still there. It may be called again, to go on waiting.
func (tb *Table) Close(ctx context.Context) error {
	for i := range tb.buckets {
		tb.buckets[i].close()
	}
	for i := range tb.buckets {
		idle := tb.buckets[i].idle
		select {
		case <-idle:
			continue // even if ctx has ended
		default:
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("operations still under way: %d: %w", tb.present(), backends.ContextError(ctx))
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
