package backends

import (
	"context"
	"time"
)

// Optional has the methods of all optional interfaces that have an ability, for
// decorators: it passes each call to a backend, or returns an error that wraps
// [ErrUnsupported] where the backend lacks the ability. It refuses a nil context, write or
// sink, and batches of unequal slices, by itself. Get it by [OptionalOf].
//
// A decorator that embeds it passes on all that it does not change. Its Describe must
// return the abilities of the backend, without those whose promises the decorator breaks.
type Optional[V any] struct {
	versioned Versioned[V]
	batcher   Batcher[V]
	clocked   Clocked
	watcher   Watcher
	stamped   Stamped[V]
	walker    Walker
}

var (
	_ Versioned[any] = Optional[any]{}
	_ Batcher[any]   = Optional[any]{}
	_ Clocked        = Optional[any]{}
	_ Watcher        = Optional[any]{}
	_ Stamped[any]   = Optional[any]{}
	_ Walker         = Optional[any]{}
)

// OptionalOf returns the optional interfaces of b whose abilities it declares. It calls
// Describe.
func OptionalOf[V any](b Backend[V]) Optional[V] {
	return Optional[V]{
		versioned: AsVersioned(b),
		batcher:   AsBatcher(b),
		clocked:   AsClocked(b),
		watcher:   AsWatcher(b),
		stamped:   AsStamped(b),
		walker:    AsWalker(b),
	}
}

// Write implements [Versioned].
func (o Optional[V]) Write(ctx context.Context, w *Write[V]) (Result, error) {
	switch {
	case ctx == nil:
		return Result{}, ErrNilContext
	case o.versioned == nil:
		return Result{}, Unsupported("versions")
	case w == nil:
		return Result{}, w.Check()
	}
	return o.versioned.Write(ctx, w)
}

// GetIf implements [Versioned].
func (o Optional[V]) GetIf(ctx context.Context, key string, have Version) (Entry[V], Answer, error) {
	if ctx == nil {
		return Entry[V]{}, Answer{}, ErrNilContext
	}
	if o.versioned == nil {
		return Entry[V]{}, Answer{}, Unsupported("versions")
	}
	return o.versioned.GetIf(ctx, key, have)
}

// GetMany implements [Batcher].
func (o Optional[V]) GetMany(ctx context.Context, keys []string, got []Got[V]) {
	if RefuseReads(ctx, keys, got) {
		return
	}
	if o.batcher != nil {
		o.batcher.GetMany(ctx, keys, got)
		return
	}
	for i := range got {
		got[i].Err = Unsupported("batches")
	}
}

// WriteMany implements [Batcher].
func (o Optional[V]) WriteMany(ctx context.Context, writes []Write[V], done []Done) {
	if RefuseWrites(ctx, writes, done) {
		return
	}
	if o.batcher != nil {
		o.batcher.WriteMany(ctx, writes, done)
		return
	}
	for i := range done {
		done[i].Err = Unsupported("batches")
	}
}

// StoreTime implements [Clocked].
func (o Optional[V]) StoreTime() (now time.Time, within time.Duration, ok bool) {
	if o.clocked == nil {
		return time.Time{}, 0, false
	}
	return o.clocked.StoreTime()
}

// Watch implements [Watcher].
func (o Optional[V]) Watch(ctx context.Context, sink Sink) error {
	switch {
	case ctx == nil:
		return ErrNilContext
	case o.watcher == nil:
		return Unsupported("watching")
	case sink == nil:
		return ErrNilSink
	}
	return o.watcher.Watch(ctx, sink)
}

// Seen implements [Watcher].
func (o Optional[V]) Seen(key string) Version {
	if o.watcher == nil {
		return 0
	}
	return o.watcher.Seen(key)
}

// GetStamped implements [Stamped].
func (o Optional[V]) GetStamped(ctx context.Context, key string) (entry Entry[V], stamp Stamp, ok bool, err error) {
	if ctx == nil {
		return Entry[V]{}, Stamp{}, false, ErrNilContext
	}
	if o.stamped == nil {
		return Entry[V]{}, Stamp{}, false, Unsupported("stamps")
	}
	return o.stamped.GetStamped(ctx, key)
}

// SetStamped implements [Stamped].
func (o Optional[V]) SetStamped(ctx context.Context, key string, entry Entry[V], stamp Stamp) error {
	if ctx == nil {
		return ErrNilContext
	}
	if o.stamped == nil {
		return Unsupported("stamps")
	}
	return o.stamped.SetStamped(ctx, key, entry, stamp)
}

// Walk implements [Walker].
func (o Optional[V]) Walk(ctx context.Context, visit func(key string, stamp Stamp) bool) error {
	if ctx == nil {
		return ErrNilContext
	}
	if o.walker == nil {
		return Unsupported("walking")
	}
	return o.walker.Walk(ctx, visit)
}
