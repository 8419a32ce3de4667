package otterbackend

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Write makes one change under the lock of its key. Errors are those of
// [backends.Write.Check], or wrap [backends.ErrUnsupported] without [WithVersions].
func (b *Backend[V]) Write(ctx context.Context, w *backends.Write[V]) (backends.Result, error) {
	if ctx == nil {
		return backends.Result{}, backends.ErrNilContext
	}
	if b.versions == nil {
		return backends.Result{}, backends.Unsupported("versions, see otterbackend.WithVersions")
	}
	if err := w.Check(); err != nil {
		return backends.Result{}, err
	}
	return b.write(w, backends.Stamp{}), nil
}

// GetIf returns the entry at key, unless its version is have.
func (b *Backend[V]) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[V], backends.Answer, error) {
	if ctx == nil {
		return backends.Entry[V]{}, backends.Answer{}, backends.ErrNilContext
	}
	if b.versions == nil {
		return backends.Entry[V]{}, backends.Answer{}, backends.Unsupported("versions, see otterbackend.WithVersions")
	}
	item, ok := b.cache.GetIfPresent(key)
	switch c := item.change(); {
	case !ok || !alive(item.expiresAt, b.rough):
		return backends.Entry[V]{}, c.answer(backends.Miss), nil
	case have != 0 && c != nil && c.version == have:
		return backends.Entry[V]{}, c.answer(backends.Unchanged), nil
	default:
		return item.Entry(), c.answer(backends.Hit), nil
	}
}

// StoreTime returns the time of this machine, by which the store decides.
func (b *Backend[V]) StoreTime() (now time.Time, within time.Duration, ok bool) {
	return time.Now(), 0, true
}

// write makes the change w, which is valid, with a stamp for the entry.
func (b *Backend[V]) write(w *backends.Write[V], stamp backends.Stamp) (result backends.Result) {
	var written Item[V]
	b.cache.Compute(w.Key, func(old Item[V], found bool) (Item[V], otter.ComputeOp) {
		now := time.Now()
		live := found && alive(old.expiresAt, b.rough)
		if result.Refused = refuses(w, &old, live, now); result.Refused != backends.NotRefused {
			result.Version, result.Source = old.change().known()
			return old, otter.CancelOp
		}
		// The lock of the key is held, so its versions rise.
		written = itemOfWrite(w, &old, b.versions.next(), now)
		written.more.stamp = stamp
		result.Version, result.Source = written.change().known()
		return written, otter.WriteOp
	})
	b.due.add(written.forgetAt())
	return result
}

// setVersioned is Set of a store with versions: an unconditional write.
func (b *Backend[V]) setVersioned(key string, entry backends.Entry[V], stamp backends.Stamp) error {
	w := backends.Write[V]{Key: key, Kind: tier.Set, Entry: entry}
	if err := w.Check(); err != nil {
		return err
	}
	b.write(&w, stamp)
	return nil
}

// deleteVersioned is Delete of a store with versions: an unconditional write.
func (b *Backend[V]) deleteVersioned(key string) error {
	w := backends.Write[V]{Key: key, Kind: tier.Delete}
	if err := w.Check(); err != nil {
		return err
	}
	b.write(&w, backends.Stamp{})
	return nil
}
