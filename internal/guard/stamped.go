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

// SetStamped stores the entry with a stamp. Its error is still the backend's: see
// [Tier.Failed].
func (t *Tier[V]) SetStamped(ctx context.Context, key string, entry *backends.Entry[V], stamp backends.Stamp) (err error) {
	defer Catch(&err)
	return t.stamped.SetStamped(ctx, key, *entry, stamp)
}
