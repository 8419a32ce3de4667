package guard

import (
	"context"

	"github.com/tiercache/tiercache/backends"
)

// GetStamped returns the entry at key with its stamp, of a backend in the process that
// keeps stamps. Its error is still the backend's: see [Tier.GetError].
func (t *Tier[V]) GetStamped(ctx context.Context, key string) (entry backends.Entry[V], stamp backends.Stamp, ok bool, err error) {
	defer Catch(&err)
	return t.stamped.GetStamped(ctx, key)
}

// Fresh returns the value at key if its stamp has the epoch and a version. Its error is
// still the backend's.
func (t *Tier[V]) Fresh(ctx context.Context, key string, epoch uint32) (value V, ok bool, err error) {
	defer Catch(&err)
	if t.fresh != nil {
		return t.fresh.GetFresh(ctx, key, epoch)
	}
	entry, stamp, ok, err := t.stamped.GetStamped(ctx, key)
	return entry.Value, ok && stamp.Epoch == epoch && stamp.Version != 0, err
}

// SetStamped stores the entry with a stamp. Its error is still the backend's: see
// [Tier.Failed].
func (t *Tier[V]) SetStamped(ctx context.Context, key string, entry *backends.Entry[V], stamp backends.Stamp) (err error) {
	defer Catch(&err)
	return t.stamped.SetStamped(ctx, key, *entry, stamp)
}
