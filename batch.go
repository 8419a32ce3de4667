package tiercache

import (
	"context"
	"iter"
	"time"

	"github.com/tiercache/tiercache/internal/engine"
	"github.com/tiercache/tiercache/tier"
)

// BatchError is the error of an operation on many keys, some of which failed. It has the error of
// each, with the key's index in the batch.
type BatchError = tier.BatchError

// Found is the result of one key of a batch of reads.
type Found[V any] struct {
	Value V
	OK    bool // false: there is no value

	// Stale reports that another process may have replaced the value. Only GetMany of a cache
	// [WithCoherence] sets it.
	Stale bool
}

// GetMany returns the values of keys, in their order. It asks L1 for each, and L2 once for all that
// L1 does not have, if the backend can do that; see [backends.Batcher]. It refills L1 as
// [Cache.Get] does.
//
// The error is a [*BatchError] when some keys failed; the results of the others are
// valid. A batch has one span, and one for each call of a tier. It is safe for
// concurrent use.
func (c *Cache[V]) GetMany(ctx context.Context, keys []string) ([]Found[V], error) {
	all := make([]Found[V], len(keys))
	err := c.engine.GetMany(ctx, keys, func(i int, found engine.Found[V]) { all[i] = Found[V](found) })
	return all, err
}

// SetMany stores the entries, all with one TTL (0: they never expire). Each key is written by the
// write policy, under its own lock, with its own outcome; the calls of a tier are made for all keys
// at once. A key that another write has locked is written later, and the others do not wait for it.
// Nor do they wait for a key whose policy, codec or hook takes longer than some 100 ms, or hangs;
// SetMany returns when that has ended too. If a key occurs twice, the later value wins. Of a larger
// batch, 5,000 keys at a time are written, so that it needs little memory.
//
// The error is a [*BatchError] with what Set would have returned for each key that
// failed. There is one inconsistency event, log record and call of the hook for each key
// whose tiers may differ; the span has 16 events at most. A batch is not atomic. It treats
// the context as Set does, and is safe for concurrent use. If the iterator panics, nothing is
// written, and the error is a [*backends.PanicError].
func (c *Cache[V]) SetMany(ctx context.Context, entries iter.Seq2[string, V], ttl time.Duration) error {
	if ttl < 0 {
		return engine.NegativeTTLError(ttl)
	}
	items, err := engine.Items(entries)
	if err != nil {
		return err
	}
	return c.engine.SetMany(ctx, items, ttl)
}

// DeleteMany removes keys from both tiers. Locks, outcomes, errors and the context are as in
// [Cache.SetMany].
func (c *Cache[V]) DeleteMany(ctx context.Context, keys []string) error {
	return c.engine.DeleteMany(ctx, keys)
}

// BatchLoader returns the values of keys from their source. It leaves a key that has no value out
// of the map; keys that were not asked for are ignored. If it returns an error, all keys fail, but
// one that wraps [ErrNotFound], or that [WithNotFound] accepts, means that none of them has a value.
// It must be safe for concurrent use, and may use the cache as a [Loader] may.
type BatchLoader[V any] func(ctx context.Context, keys []string) (map[string]V, error)

// GetOrLoadMany returns the values of keys, in their order. It calls load once for those that the
// tiers do not have, up to 5,000 at a time, and writes the loaded values as [Cache.SetMany] does. A
// key that another caller of GetOrLoad or GetOrLoadMany is already loading is not loaded again. A
// key without a
// value is not an error; its result has OK false.
//
// The context of load ends when no caller waits for any of its keys any more. The error is a
// [*BatchError] with what GetOrLoad would have returned for each key that failed. The options of
// the cache apply as to GetOrLoad, but a batch loader cannot set a TTL, and [WithRefreshAhead] calls
// it for one key at a time. It is safe for concurrent use.
func (c *Cache[V]) GetOrLoadMany(ctx context.Context, keys []string, ttl time.Duration, load BatchLoader[V]) ([]Found[V], error) {
	found, err := c.engine.GetOrLoadMany(ctx, keys, ttl, engine.BatchLoader[V](load))
	return results(found), err
}

func results[V any](found []engine.Found[V]) []Found[V] {
	all := make([]Found[V], len(found))
	for i, f := range found {
		all[i] = Found[V](f)
	}
	return all
}
