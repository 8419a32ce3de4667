package turn

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrFenced is returned by [Table.AcquireFenced] when a write of the key has
// begun or ended since the fence was raised.
var ErrFenced = errors.New("fenced")

// Fence is raised by a reader before it looks at a value that it may want to
// store. A write of the key that is under way then, or begins later, breaks it.
//
// Writes pay for fences only while one is raised in their bucket. The zero value
// is ready; it may be used again after Lower. The caller owns the memory.
type Fence struct {
	key    string
	bucket *bucket
	next   *Fence
	broken atomic.Bool // written under the bucket's lock
	token  Turn        // stands for f where it is alone in its bucket
}

// Raise raises f for key. Close waits until it is lowered; after Close, Raise
// returns [ErrClosed].
func (tb *Table) Raise(f *Fence, key string) error {
	b := tb.bucket(key)
	f.key, f.bucket, f.token.fence = key, b, f
	f.broken.Store(false)
	if b.sole.CompareAndSwap(nil, &f.token) {
		return nil
	}
	b.lock()
	defer b.unlock()
	if b.closed {
		return ErrClosed
	}
	b.add(f)
	f.broken.Store(b.find(key).writing())
	return nil
}

// Broken reports whether a write of the key has begun or ended since f was
// raised. It may be called from any goroutine.
func (f *Fence) Broken() bool { return f.broken.Load() }

// Lower takes f away.
func (f *Fence) Lower() {
	b := f.bucket
	if b.sole.CompareAndSwap(&f.token, nil) {
		return
	}
	b.lock()
	at := &b.fences
	for *at != f {
		at = &(*at).next
	}
	*at = f.next
	b.leave()
	b.unlock()
	f.next = nil
}

// AcquireFenced is like Acquire for the key of f, unless f is broken: then it
// returns [ErrFenced], and t holds nothing. A write breaks other fences; a refill
// does not, and is not taken for a write.
//
// Looking once is enough. Writes that come after it stand behind t in the line.
func (tb *Table) AcquireFenced(ctx context.Context, t *Turn, f *Fence, refill bool) error {
	b := f.bucket
	t.key, t.bucket, t.refill, t.waited, t.fence = f.key, b, refill, 0, f
	if tb.sabotage.noTurns {
		t.key = tb.sabotage.anyKey()
	} else if b.sole.CompareAndSwap(&f.token, t) {
		return nil // nobody has come since f was raised
	}
	b.lock()
	if f.broken.Load() && !tb.sabotage.noFences {
		b.unlock()
		t.forget()
		return ErrFenced
	}
	if !refill {
		b.breakFences(f.key, f)
	}
	return b.queue(ctx, t)
}

// breakFences is called locked. It spares the writer's own fence.
func (b *bucket) breakFences(key string, own *Fence) {
	for f := b.fences; f != nil; f = f.next {
		if f != own && f.key == key {
			f.broken.Store(true)
		}
	}
}

// writing reports whether a write holds the turn or waits for it.
func (t *Turn) writing() bool {
	if t == nil {
		return false
	}
	if !t.refill {
		return true
	}
	for w := t.first; w != nil; w = w.next {
		if !w.turn.refill {
			return true
		}
	}
	return false
}
