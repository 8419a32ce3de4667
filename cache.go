package tiercache

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/engine"
)

// Cache is a cache of two tiers. Writes go to both, by a policy of package writepolicy; reads ask
// L1, then L2. Whenever the tiers may differ at a key, it reports an inconsistency. Create one with
// [New]. It is safe for concurrent use.
type Cache[V any] struct {
	engine *engine.Engine[V]
}

// New returns a cache of two tiers. The name identifies the cache in telemetry, for instance
// "users"; it must not be empty. L1 should be in this process and serve no other cache; L2 is
// shared or persistent.
//
// The cache does not own its backends: Close does not close them. Write to them only through a
// cache: a write that bypasses it can leave the tiers different, and nothing reports that. For the
// writes of other processes to L2 see [WithCoherence] and [WithL1TTL].
//
// Without options, the policy is [writepolicy.Sequential] and telemetry goes to the global
// providers. Its errors wrap [ErrInvalid], or come from a meter provider.
func New[V any](name string, l1, l2 backends.Backend[V], opts ...Option) (*Cache[V], error) {
	switch {
	case name == "":
		return nil, fmt.Errorf("%w: the cache's name is empty: it names spans and metrics", ErrInvalid)
	case !utf8.ValidString(name):
		return nil, fmt.Errorf("%w: the cache's name %q is not valid UTF-8", ErrInvalid, name)
	case l1 == nil:
		return nil, fmt.Errorf("%w: l1 is nil: pass a backend", ErrInvalid)
	case l2 == nil:
		return nil, fmt.Errorf("%w: l2 is nil: pass a backend", ErrInvalid)
	}
	cfg, err := newConfig(name, opts)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(cfg.Config, l1, l2)
	switch {
	case errors.Is(err, ErrInvalid):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("tiercache: %w", err)
	}
	return &Cache[V]{engine: e}, nil
}

// Set stores value at key in both tiers, as the policy says. The entry expires after
// ttl, or never when ttl is 0. Both tiers may keep value, so nobody may modify the
// data it points to afterwards.
//
// The context is honoured until the first tier is touched: cancelling it ends the wait
// for other writes of the same key, and the error says that neither tier was changed.
// From then on the write runs to its end even if the context ends, so that a
// cancellation never leaves one tier written and the other not; see [WithWriteTimeout].
//
// The error is a [*tier.WriteError] with the outcome in each tier. For an empty key or
// a negative ttl it wraps [ErrInvalid].
func (c *Cache[V]) Set(ctx context.Context, key string, value V, ttl time.Duration) error {
	if err := validate(ctx, key, ttl); err != nil {
		return err
	}
	return c.engine.Set(ctx, key, value, ttl)
}

// Delete removes key from both tiers, as the policy says. It treats the context and
// reports errors as Set does. It returns nil only if neither tier has a copy any more.
func (c *Cache[V]) Delete(ctx context.Context, key string) error {
	if err := validate(ctx, key, 0); err != nil {
		return err
	}
	return c.engine.Delete(ctx, key)
}

// Get returns the value at key; ok is false when neither tier has one. By default it asks L1, then
// L2, and refills L1 from L2, unless a newer write of the key has begun in the meantime. The value
// may be shared, so nobody may modify the data it points to.
//
// An error of one tier does not hide the value of the other. If neither tier has the value and one
// failed, the error wraps the tiers' errors, which are of type [*tier.Error]. For an empty key it
// wraps [ErrInvalid].
//
// Concurrent readers of one key that miss L1 share one read of an L2 outside the process, unless a
// write of the key has begun since that read began. If the context of the reader that asks L2 ends,
// another reader asks. A backend that reads the cache should pass on its context, so that the cache
// recognises the read and does not share it.
//
// The options are [SkipL1], [SkipL2] and [AtLeast].
func (c *Cache[V]) Get(ctx context.Context, key string, opts ...ReadOption) (value V, ok bool, err error) {
	value, ok, err = c.engine.Get(ctx, key, opts)
	return value, ok, err // so it is small enough to be inlined (budget Get/hit=l1)
}

// Loader returns the value at a key from its source, for instance a database. If there
// is none, it returns an error that wraps [ErrNotFound]. It must be safe for concurrent
// use.
//
// A loader may use the cache. It should pass on its context, by which the cache
// recognises calls made in a load. GetOrLoad of the key that is being loaded would wait
// for itself, and returns an error that wraps [ErrReentrant] at once; so it does when
// the loaders of several keys wait for each other in a ring. Set, Delete and Get of the
// key work. If the loader writes the key itself, the cache takes that value for the
// newer one and does not store the returned one. Close in a loader does not wait.
//
// A loader may set the TTL of its value by [SetTTL].
//
// A loader that panics, or ends its goroutine, fails the load for all callers.
type Loader[V any] func(ctx context.Context, key string) (value V, err error)

// GetOrLoad returns the value at key. When neither tier has one, or when L1 has none
// and L2 cannot be read, it calls load and writes the value to the tiers by the write
// policy, with the given TTL (0: it never expires), unless a newer write of the key
// has begun since. If that write fails, the caller still gets the value; the failure
// is reported like that of any write.
//
// Callers of one key share the read of L2 and the loader, which runs once for all of them. A caller
// whose context ends does not fail the others. If the loader has already returned, that caller
// still gets the value, which may not be stored yet. The loader's context carries the trace of the
// first caller, and ends when all callers have been cancelled. A caller that comes after a write of
// the key does not share a load that began before that write.
//
// When the loader finds no value, GetOrLoad returns its error, which wraps
// [backends.ErrNotFound]; see [WithNegativeTTL]. Other errors of a loader, and its
// panics, are returned as a [*LoadError] to all callers that waited for it; see
// [WithStaleIfError]. For an empty key, a nil loader or a negative ttl the error
// wraps [ErrInvalid].
//
// The options are [SkipL1], [SkipL2] and [Refresh].
func (c *Cache[V]) GetOrLoad(ctx context.Context, key string, ttl time.Duration, load Loader[V], opts ...ReadOption) (value V, err error) {
	return c.engine.GetOrLoad(ctx, key, ttl, engine.Loader[V](load), opts)
}

// Close refuses new operations and waits for those under way: writes, including detached ones and
// hooks, and reads that went past L1, including their loaders and the losers of races. If ctx ends
// first, it returns an error that wraps the cause and gives the number of operations still under
// way; a further call of Close waits again. It does not close the backends.
//
// A loader, hook, policy or backend may call Close with the context that it was given.
// Then Close does not wait: it refuses new operations and returns an error that wraps
// [ErrReentrant].
func (c *Cache[V]) Close(ctx context.Context) error { return c.engine.Close(ctx) }

// validate returns the error of a write that cannot begin.
func validate(ctx context.Context, key string, ttl time.Duration) error {
	switch {
	case ctx == nil:
		return engine.ErrNilContext
	case key == "":
		return engine.ErrEmptyKey
	case ttl < 0:
		return engine.NegativeTTLError(ttl)
	default:
		return nil
	}
}
