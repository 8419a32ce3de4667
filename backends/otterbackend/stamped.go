package otterbackend

import (
	"context"

	"github.com/tiercache/tiercache/backends"
)

// GetStamped is Get, and returns the stamp that was set with the value. A hit allocates
// nothing.
func (b *Backend[V]) GetStamped(ctx context.Context, key string) (
	entry backends.Entry[V], stamp backends.Stamp, ok bool, err error,
) {
	if ctx == nil {
		return backends.Entry[V]{}, backends.Stamp{}, false, backends.ErrNilContext
	}
	item, ok := b.cache.GetIfPresent(key)
	if ok && alive(item.expiresAt, b.rough) {
		return item.Entry(), item.stamp(), true, nil
	}
	return backends.Entry[V]{}, backends.Stamp{}, false, nil
}

// GetFresh returns the value at key if it is stamped with the epoch and a version.
func (b *Backend[V]) GetFresh(ctx context.Context, key string, epoch uint32) (value V, ok bool, err error) {
	if ctx == nil {
		return value, false, backends.ErrNilContext
	}
	item, ok := b.cache.GetIfPresent(key)
	if !ok || item.more == nil || item.more.stamp.Epoch != epoch || item.more.stamp.Version == 0 || !alive(item.expiresAt, b.rough) {
		return value, false, nil
	}
	return item.Value, true, nil
}

// SetStamped is Set with a stamp, which takes 32 bytes unless it is zero.
func (b *Backend[V]) SetStamped(ctx context.Context, key string, entry backends.Entry[V], stamp backends.Stamp) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	if b.versions != nil {
		return b.setVersioned(key, entry, stamp)
	}
	item := ItemOf(entry)
	if stamp != (backends.Stamp{}) {
		item.more = &more{stamp: stamp}
	}
	b.set(key, item)
	return nil
}

// Walk calls visit with the key and the stamp of each entry that has not expired, until
// visit returns false or ctx ends. It locks no more than a few entries at a time, and
// none while visit runs.
func (b *Backend[V]) Walk(ctx context.Context, visit func(key string, stamp backends.Stamp) bool) error {
	for key, item := range b.cache.All() {
		if err := backends.ContextError(ctx); err != nil {
			return err
		}
		if alive(item.expiresAt, b.rough) && !visit(key, item.stamp()) {
			return nil
		}
	}
	return backends.ContextError(ctx)
}
