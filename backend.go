package tiercache

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/engine"
)

// AsBackend returns the cache as a backend, so that it can be a tier of another cache: L1 / (L2 /
// L3). The spans nest. To the outer cache, a write that reached only one of the inner tiers has the
// outcome unknown, and one that reached neither has failed.
//
// Its writes have the timeouts of the inner cache. It is safe for concurrent use. It needs no Close
// of its own; close the cache.
func (c *Cache[V]) AsBackend() backends.Backend[V] { return nested[V]{c.engine} }

type nested[V any] struct{ engine *engine.Engine[V] }

var (
	_ backends.Stager[any] = nested[any]{}
	_ backends.Describer   = nested[any]{}
)

func (n nested[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	if ctx == nil {
		return entry, false, backends.NotApplied(engine.ErrNilContext)
	}
	return n.engine.StoredEntry(ctx, key)
}

func (n nested[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	if err := validate(ctx, key, 0); err != nil {
		return backends.NotApplied(err)
	}
	return n.engine.SetEntry(ctx, key, entry)
}

func (n nested[V]) Delete(ctx context.Context, key string) error {
	if err := validate(ctx, key, 0); err != nil {
		return backends.NotApplied(err)
	}
	return n.engine.Delete(ctx, key)
}

// Stage stages the entry in the tiers of the cache and drops the result. The write
// stages again, because it may be made more than once.
func (n nested[V]) Stage(ctx context.Context, key string, entry backends.Entry[V]) (set func(ctx context.Context) error, err error) {
	if err := validate(ctx, key, 0); err != nil {
		return nil, backends.NotApplied(err)
	}
	if err := n.engine.Stage(ctx, key, entry); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return n.Set(ctx, key, entry) }, nil
}

// Describe returns a description of the cache: its calls have spans of their own, and
// it is in-process if both of its tiers are.
func (n nested[V]) Describe() backends.Description { return n.engine.Describe() }
