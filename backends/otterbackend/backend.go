package otterbackend

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/backends"
)

// Backend is a [backends.Backend] over an otter cache. It is made by [New] or
// [FromCache] and is safe for concurrent use.
//
// No call waits for anything outside of the process, so contexts are ignored, and no method returns
// an error except for a nil context and for a [backends.Write] that no store can make. An
// entry may be evicted at any time after it was
// set. Keys and values are kept as they are until they are replaced, deleted, evicted
// or expired: the data that a value points to must not be modified once it was set or
// read.
type Backend[V any] struct {
	cache *otter.Cache[string, Item[V]]

	// rough says that the cheap clock can decide for entries whose end is not
	// near.
	rough bool

	// versions is nil unless entries have versions.
	versions *versions

	// evictions is a pointer, because the listener that counts must not keep the
	// Backend reachable.
	evictions *atomic.Uint64

	// due is the first expiry of which the sweeper knows.
	due due

	// stop ends the sweeper, and registration is that of the metrics. They are nil
	// when the cache was brought by the caller.
	stop         func()
	registration metric.Registration
}

var (
	_ backends.Backend[any] = (*Backend[any])(nil)
	_ backends.Describer    = (*Backend[any])(nil)

	_ backends.ValueGetter[any] = (*Backend[any])(nil)
	_ backends.Stamped[any]     = (*Backend[any])(nil)
	_ backends.FreshGetter[any] = (*Backend[any])(nil)
	_ backends.Walker           = (*Backend[any])(nil)
	_ backends.Versioned[any]   = (*Backend[any])(nil)
	_ backends.Clocked          = (*Backend[any])(nil)
)

// New returns an empty Backend that holds 10 000 entries, or the number of the options.
// It returns an error that names every option with an unusable value.
//
// A goroutine frees the memory of expired entries, and metrics report the number of
// entries and evictions; [Backend.Close] stops both.
func New[V any](opts ...Option) (*Backend[V], error) {
	c := newConfig(opts)
	options, err := otterOptions[V](c)
	if err != nil {
		return nil, err
	}
	b := &Backend[V]{rough: canUseRoughNow(), evictions: new(atomic.Uint64)}
	if c.versions {
		b.versions = newVersions()
	}
	b.due.reset()
	options.OnAtomicDeletion = countEvictions[V](b.evictions, b.rough)
	if b.cache, err = otter.New(options); err != nil {
		return nil, fmt.Errorf("otterbackend: %w", err)
	}
	b.stop = startSweeper(b)
	if err := b.observe(c); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// FromCache returns a Backend over a cache that the caller has configured and still
// owns: [Backend.Close] does not close it. It returns [ErrNilCache] when cache is nil.
//
// The cache should have been made with [Expiry] as its ExpiryCalculator. With
// any other, or none, expired entries are misses all the same, but stay in
// memory until they are evicted or that calculator lets them go. Metrics are the
// caller's too: the cache's StatsRecorder counts, and [Backend.Stats] has its size.
func FromCache[V any](cache *otter.Cache[string, Item[V]]) (*Backend[V], error) {
	if cache == nil {
		return nil, ErrNilCache
	}
	return &Backend[V]{cache: cache, rough: canUseRoughNow(), evictions: new(atomic.Uint64)}, nil
}

// Get returns the entry at key, unless it has expired by the system's clock at
// the time of the call. A hit allocates nothing.
func (b *Backend[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	if ctx == nil {
		return backends.Entry[V]{}, false, backends.ErrNilContext
	}
	item, ok := b.cache.GetIfPresent(key)
	if ok && alive(item.expiresAt, b.rough) {
		return item.Entry(), true, nil
	}
	return backends.Entry[V]{}, false, nil
}

// GetValue is Get without the expiry.
func (b *Backend[V]) GetValue(ctx context.Context, key string) (value V, ok bool, err error) {
	if ctx == nil {
		return value, false, backends.ErrNilContext
	}
	item, ok := b.cache.GetIfPresent(key)
	if ok && alive(item.expiresAt, b.rough) {
		return item.Value, true, nil
	}
	return value, false, nil
}

// Set stores the entry at key, in place of any other. An entry that has expired
// already takes the place of the older one too, and is a miss.
func (b *Backend[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	if b.versions != nil {
		return b.setVersioned(key, entry, backends.Stamp{})
	}
	b.set(key, ItemOf(entry))
	return nil
}

func (b *Backend[V]) set(key string, item Item[V]) {
	b.cache.Set(key, item)
	b.due.add(item.expiresAt)
}

// Delete removes the entry at key.
func (b *Backend[V]) Delete(ctx context.Context, key string) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	if b.versions != nil {
		return b.deleteVersioned(key)
	}
	b.cache.Invalidate(key)
	return nil
}

// Describe says that the store is in the process, keeps stamps and can be walked; and
// with [WithVersions] that it gives versions. It names no system, because the store is
// no database.
func (b *Backend[V]) Describe() backends.Description {
	versions := b.versions != nil
	return backends.Description{
		InProcess: true,
		Abilities: backends.Abilities{Stamps: true, Walks: true, Versions: versions, Deadlines: versions},
	}
}

// Close stops the goroutine of a Backend made by [New], waits for it, and ends its
// metrics. The entries stay, and all methods go on working, but expired entries are
// freed no more before they are evicted. Close may be called again. It returns nil,
// unless the meter provider fails to end the metrics.
//
// A Backend that is no longer reachable stops its goroutine and metrics by
// itself, so a forgotten Close leaks nothing. In a testing/synctest bubble it must be called.
func (b *Backend[V]) Close() error {
	if b.stop == nil {
		return nil
	}
	b.stop()
	if b.registration == nil {
		return nil
	}
	if err := b.registration.Unregister(); err != nil {
		return fmt.Errorf("otterbackend: the metrics cannot be ended: %w", err)
	}
	return nil
}
