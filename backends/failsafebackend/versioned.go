package failsafebackend

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// The optional interfaces of a [Backend]. It can do what the other one can. Watching, the
// clock and walks are passed on as they are: no policy decides on them.

var (
	_ backends.Versioned[any] = (*Backend[any])(nil)
	_ backends.Clocked        = (*Backend[any])(nil)
	_ backends.Watcher        = (*Backend[any])(nil)
	_ backends.Stamped[any]   = (*Backend[any])(nil)
	_ backends.Walker         = (*Backend[any])(nil)
)

// Write makes the change. A write that the store refuses is a success to the policies.
// Errors are those of [Backend.Set].
//
// A write with the condition [backends.Is], [backends.NotNewer] or [backends.AbsentAt] of a
// version that the store has issued is repeated also after an attempt of unknown outcome: of all attempts,
// late ones included, at most one changes the key, because it changes the version that
// the others ask for. If the store then refuses a repetition, the reason may be that the
// attempt before was applied.
// Write looks: if the key has the write's operation, the write was applied; if it still
// has the version that Is or AbsentAt asked for, no attempt was; otherwise the outcome stays unknown,
// and Write returns the error of the earlier attempt. [backends.Absent] is not among
// these conditions, nor is AbsentAt of version 0: a late attempt could bring a deleted entry back.
func (b *Backend[V]) Write(ctx context.Context, w *backends.Write[V]) (backends.Result, error) {
	if !b.able.Versions || w == nil {
		return b.optional.Write(ctx, w)
	}
	c := &call[backends.Result]{writes: true, safe: safe(w.If)}
	c.try = func(ctx context.Context) (backends.Result, error) {
		result, err := b.optional.Write(ctx, w)
		if err == nil && !result.Applied() && c.inDoubt() {
			return b.settle(ctx, w, result)
		}
		return result, err
	}
	return do(ctx, b, w.Kind.String(), c)
}

// safe reports whether of several attempts at most one can be applied, however late.
func safe(c backends.Condition) bool {
	return c.Version != 0 && (c.Test == backends.TestIs || c.Test == backends.TestNotNewer || c.Test == backends.TestAbsentAt)
}

// settle finds out the outcome of a write of which an attempt may have been applied and
// another one was refused.
func (b *Backend[V]) settle(ctx context.Context, w *backends.Write[V], refused backends.Result) (backends.Result, error) {
	if w.If.Test != backends.TestNotNewer && refused.Version == w.If.Version {
		return refused, nil // an attempt that was applied would have changed it
	}
	if w.Operation != 0 && refused.Version != 0 {
		_, answer, err := b.optional.GetIf(ctx, w.Key, refused.Version)
		if err == nil && answer.Operation == w.Operation {
			return backends.Result{Version: answer.Version, Source: answer.Source}, nil
		}
	}
	return backends.Result{}, errDoubt
}

// GetIf reads from the backend, with the errors of [Backend.Get].
func (b *Backend[V]) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[V], backends.Answer, error) {
	if !b.able.Versions {
		return b.optional.GetIf(ctx, key, have)
	}
	got, err := do(ctx, b, "get", &call[backends.Got[V]]{try: func(ctx context.Context) (got backends.Got[V], err error) {
		got.Entry, got.Answer, err = b.optional.GetIf(ctx, key, have)
		return got, err
	}})
	return got.Entry, got.Answer, err
}

// GetStamped reads from the backend, with the errors of [Backend.Get].
func (b *Backend[V]) GetStamped(ctx context.Context, key string) (entry backends.Entry[V], stamp backends.Stamp, ok bool, err error) {
	if !b.able.Stamps {
		return b.optional.GetStamped(ctx, key)
	}
	f, err := do(ctx, b, "get", &call[found[V]]{try: func(ctx context.Context) (f found[V], err error) {
		f.entry, f.stamp, f.ok, err = b.optional.GetStamped(ctx, key)
		return f, err
	}})
	return f.entry, f.stamp, f.ok, err
}

// SetStamped writes to the backend, with the errors of [Backend.Set].
func (b *Backend[V]) SetStamped(ctx context.Context, key string, entry backends.Entry[V], stamp backends.Stamp) error {
	if !b.able.Stamps {
		return b.optional.SetStamped(ctx, key, entry, stamp)
	}
	return b.write(ctx, "set", func(ctx context.Context) error { return b.optional.SetStamped(ctx, key, entry, stamp) })
}

// StoreTime returns the backend's.
func (b *Backend[V]) StoreTime() (now time.Time, within time.Duration, ok bool) {
	return b.optional.StoreTime()
}

// Watch watches the backend.
func (b *Backend[V]) Watch(ctx context.Context, sink backends.Sink) error {
	return b.optional.Watch(ctx, sink)
}

// Seen returns the backend's.
func (b *Backend[V]) Seen(key string) backends.Version { return b.optional.Seen(key) }

// Walk walks the backend.
func (b *Backend[V]) Walk(ctx context.Context, visit func(key string, stamp backends.Stamp) bool) error {
	return b.optional.Walk(ctx, visit)
}
