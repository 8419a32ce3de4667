package backendtest

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// The optional interfaces of a [Faults]. It can do what its backend can. Reading the
// log, the clock and the keys of a walk have no faults.

var (
	_ backends.Versioned[any] = (*Faults[any])(nil)
	_ backends.Clocked        = (*Faults[any])(nil)
	_ backends.Watcher        = (*Faults[any])(nil)
	_ backends.Stamped[any]   = (*Faults[any])(nil)
	_ backends.Walker         = (*Faults[any])(nil)
)

// Write makes the change unless a fault prevents it: a fault for Delete if w is one, and for Set
// otherwise.
func (f *Faults[V]) Write(ctx context.Context, w *backends.Write[V]) (result backends.Result, err error) {
	kind := tier.Set
	if w != nil && w.Kind == tier.Delete {
		kind = tier.Delete
	}
	err = f.do(ctx, kind, func(ctx context.Context) (err error) {
		result, err = f.optional.Write(ctx, w)
		return err
	})
	if err != nil {
		return backends.Result{}, err
	}
	return result, nil
}

// GetIf reads from the backend unless a fault for Get prevents it.
func (f *Faults[V]) GetIf(ctx context.Context, key string, have backends.Version) (entry backends.Entry[V], answer backends.Answer, err error) {
	err = f.do(ctx, tier.Get, func(ctx context.Context) (err error) {
		entry, answer, err = f.optional.GetIf(ctx, key, have)
		return err
	})
	if err != nil {
		return backends.Entry[V]{}, backends.Answer{}, err
	}
	return entry, answer, nil
}

// GetStamped reads from the backend unless a fault for Get prevents it.
func (f *Faults[V]) GetStamped(ctx context.Context, key string) (entry backends.Entry[V], stamp backends.Stamp, ok bool, err error) {
	err = f.do(ctx, tier.Get, func(ctx context.Context) (err error) {
		entry, stamp, ok, err = f.optional.GetStamped(ctx, key)
		return err
	})
	if err != nil {
		return backends.Entry[V]{}, backends.Stamp{}, false, err
	}
	return entry, stamp, ok, nil
}

// SetStamped writes to the backend unless a fault for Set prevents it.
func (f *Faults[V]) SetStamped(ctx context.Context, key string, entry backends.Entry[V], stamp backends.Stamp) error {
	return f.do(ctx, tier.Set, func(ctx context.Context) error { return f.optional.SetStamped(ctx, key, entry, stamp) })
}

// StoreTime returns the backend's.
func (f *Faults[V]) StoreTime() (now time.Time, within time.Duration, ok bool) {
	return f.optional.StoreTime()
}

// Watch watches the backend.
func (f *Faults[V]) Watch(ctx context.Context, sink backends.Sink) error {
	return f.optional.Watch(ctx, sink)
}

// Seen returns the backend's.
func (f *Faults[V]) Seen(key string) backends.Version { return f.optional.Seen(key) }

// Walk walks the backend.
func (f *Faults[V]) Walk(ctx context.Context, visit func(key string, stamp backends.Stamp) bool) error {
	return f.optional.Walk(ctx, visit)
}
