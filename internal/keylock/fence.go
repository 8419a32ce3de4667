package keylock

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrFenced is returned by [Table.AcquireFenced] and [Table.AcquireRefill] when
// the fence is broken.
var ErrFenced = errors.New("fenced")

// Fence decides whether a reader may store the value that it read. The reader raises it
// before it reads:
//
//	t1  the reader raises the fence and reads the old value from L2
//	t2  a write acquires the key's lock, which breaks the fence, and stores a new value
//	t3  the reader wants to store the old value in L1: AcquireRefill returns ErrFenced
//
// A write that is under way when the fence is raised breaks it too, because the reader
// may have read the value that the write replaces.
//
// Writes pay for fences only while one is raised in their bucket. The zero value
// is ready; it may be used again after Lower. The caller owns the memory.
type Fence struct {
	key    string
	bucket *bucket
	self   occupant    // bucket.sole points to it while f is alone
	broken atomic.Bool // set under bucket.mu
	asking atomic.Bool // see [Fence.Share]

	// Guarded by bucket.mu.
	at         *entry // of the key, while f is raised, and not broken, in a shared bucket
	prev, next *Fence // in the list of at
	followers  *Follower
}

// Raise raises f for key. Close waits until it is lowered; after Close, Raise
// returns [ErrClosed].
func (tb *Table) Raise(f *Fence, key string) error {
	b := tb.bucket(key)
	f.key, f.bucket, f.self = key, b, occupant{fence: f}
	if f.broken.Load() {
		f.broken.Store(false) // dearer than a look
	}
	if b.sole.CompareAndSwap(nil, &f.self) {
		return nil
	}
	b.lock()
	defer b.unlock()
	if b.closed {
		return ErrClosed
	}
	b.raise(f)
	return nil
}

// Broken reports whether a write of the key has begun or ended since f was
// raised, or [Table.Break] was called. It may be called from any goroutine.
func (f *Fence) Broken() bool { return f.broken.Load() }

// Lower ends f. A lock that was acquired behind f may outlast it.
func (f *Fence) Lower() {
	b := f.bucket
	if b.sole.CompareAndSwap(&f.self, nil) {
		return
	}
	b.lock()
	if e := f.at; e != nil {
		e.unlink(f)
		b.tidy(e)
	}
	b.leave()
	b.unlock()
}

// AcquireFenced is like Acquire for the key of f, unless f is broken: then it
// returns [ErrFenced], and l holds nothing. It breaks all fences of the key but f.
func (tb *Table) AcquireFenced(ctx context.Context, l *Lock, f *Fence) error {
	return f.acquire(ctx, l, false)
}

// AcquireRefill is like AcquireFenced, for an operation that only copies a value
// from one tier to the other: it is no write, and breaks no fence.
func (tb *Table) AcquireRefill(ctx context.Context, l *Lock, f *Fence) error {
	return f.acquire(ctx, l, true)
}

// acquire looks at the fence twice. Before l queues, because nobody should wait
// for nothing:
//
//	t1  a write has the lock, and has broken f
//	t2  l returns at once
//
// And once l has the lock, because f may have been broken meanwhile:
//
//	t1  another refill has the lock, and l waits behind it
//	t2  Break tells of a write in another process
//	t3  l gets the lock, and must not store what it read before t2
//
// A write that breaks f after t3 is queued behind l, and overwrites the value that l
// stores.
func (f *Fence) acquire(ctx context.Context, l *Lock, refill bool) error {
	b := f.bucket
	l.init(b, lockKey(f.key))
	l.refill, l.self.fence = refill, f
	if b.sole.CompareAndSwap(&f.self, &l.self) {
		return nil // nobody has come since f was raised
	}
	b.lock()
	if f.Broken() && !noFences {
		b.unlock()
		l.reset()
		return ErrFenced
	}
	if e := f.at; e != nil && !refill {
		e.breakFences(f)
	}
	if err := b.join(ctx, l); err != nil {
		return err
	}
	if f.Broken() && !noFences {
		l.Unlock()
		return ErrFenced
	}
	return nil
}
