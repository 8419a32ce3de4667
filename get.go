package tiercache

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/writepolicy"
)

// Get returns the value at key from L1, or from L2 when L1 has none; ok is false
// when neither has. The value may be shared, so what it points to must not be
// modified.
//
// An error of one tier does not hide the value of the other. When neither has
// the value, the errors are returned as [*writepolicy.TierError]s, joined.
func (c *Cache[V]) Get(ctx context.Context, key string) (value V, ok bool, err error) {
	if key == "" {
		return value, false, errEmptyKey()
	}
	if c.closed.Load() {
		return value, false, ErrClosed
	}
	entry, ok, err1 := c.l1.get(ctx, key)
	if ok && err1 == nil {
		return entry.Value, true, nil
	}
	entry, ok, err2 := c.l2.get(ctx, key)
	if ok && err2 == nil {
		return entry.Value, true, nil
	}
	return value, false, errors.Join(readError(writepolicy.L1, key, err1), readError(writepolicy.L2, key, err2))
}

func readError(id writepolicy.TierID, key string, err error) error {
	if err == nil {
		return nil
	}
	return tierError(id, "get", key, writepolicy.Failed, err)
}
