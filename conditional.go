package tiercache

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/engine"
)

// SetIfAbsent stores value at key if L2 has none. It returns the entry that the key then has, and
// whether it stored the given value. Of several callers, in any processes, only one stores its
// value.
//
// L2 decides, whatever the write policy is, and L1 follows. An L2 that issues no versions
// cannot decide; the error then wraps [ErrUnsupported]. It treats the context and the TTL
// and reports errors as Set does: after an error whose outcome in L2 is unknown the value
// may have been stored. With [WithSourceVersion], a value that is older than the deletion of
// the key is not stored either: won is then the zero Entry. It is safe for concurrent use.
func (c *Cache[V]) SetIfAbsent(ctx context.Context, key string, value V, ttl time.Duration) (won Entry[V], stored bool, err error) {
	e, stored, err := c.engine.SetIfAbsent(ctx, key, value, ttl)
	return Entry[V](e), stored, err
}

// Update replaces the value at key by the result of change, and returns it. If there is no value,
// ok is false. No write of any process is lost: if one comes in between, Update reads the new value
// and calls change again, with growing pauses, up to 100 times; then its error wraps [ErrConflict].
// The entry expires after ttl, or never when ttl is 0.
//
// Change must not modify old, may be called several times, and should be quick. If it returns an
// error, nothing is written, and Update returns an error that wraps it. It may use the cache, but
// if each call of it writes the same key, Update fails with ErrConflict.
//
// L2 decides, as for SetIfAbsent, and errors are reported in the same way: after an error
// whose outcome in L2 is unknown the value may have been replaced, and Update does not
// try again. With an error the returned value is the zero V. It is safe for concurrent use.
func (c *Cache[V]) Update(ctx context.Context, key string, ttl time.Duration, change func(old V, ok bool) (V, error)) (V, error) {
	return c.engine.Update(ctx, key, ttl, engine.Changer[V](change))
}

// DeleteVersion removes key from both tiers, unless L2 has a value whose source version is greater
// than the given one; then it does nothing and returns nil. For twice the write timeout, and at
// least 10 s, L2 also refuses values of a lower version, for instance from loads that began before
// the deletion. Give it the version of the deletion, or one more than that of the deleted row.
//
// L2 must issue versions, or the error wraps [ErrUnsupported]; see [WithSourceVersion].
// Version must not be 0. It treats the context and reports errors as Delete does.
func (c *Cache[V]) DeleteVersion(ctx context.Context, key string, version uint64) error {
	return c.engine.DeleteVersion(ctx, key, version)
}
