package tiercache

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/writepolicy"
)

// AsBackend returns the cache as a backend, so that it can be a tier of another
// cache: L1 / (L2 / L3). The spans nest. A write that reached one of its tiers
// and not the other is an unknown outcome for the outer cache, and one that
// reached neither is a failed one.
//
// Its writes have the timeouts of their own tiers. It is safe for concurrent use,
// and it does not have to be closed; the cache does.
func (c *Cache[V]) AsBackend() backends.Backend[V] { return nested[V]{c} }

type nested[V any] struct{ c *Cache[V] }

var (
	_ backends.Stager[any] = nested[any]{}
	_ backends.Describer   = nested[any]{}
)

func (n nested[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	return n.c.getEntry(ctx, key)
}

func (n nested[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	if key == "" {
		return backends.NotApplied(errEmptyKey())
	}
	w := n.c.newWrite(writepolicy.Set, key)
	w.entry = entry
	return w.do(ctx)
}

func (n nested[V]) Delete(ctx context.Context, key string) error { return n.c.Delete(ctx, key) }

// Stage stages in the tiers of the cache and forgets that: the write, should it
// come, stages again, because it may be made more than once.
func (n nested[V]) Stage(ctx context.Context, key string, entry backends.Entry[V]) (set func(ctx context.Context) error, err error) {
	if n.c.stages {
		for _, t := range []*tier[V]{&n.c.l1, &n.c.l2} {
			if _, err := t.stage(ctx, key, entry); err != nil {
				return nil, err
			}
		}
	}
	return func(ctx context.Context) error { return n.Set(ctx, key, entry) }, nil
}

// Describe says that the cache describes its calls by spans of its own, and that
// it is in the process if both of its tiers are.
func (n nested[V]) Describe() backends.Description {
	return backends.Description{
		InProcess:    n.c.l1.desc.InProcess && n.c.l2.desc.InProcess,
		Instrumented: true,
	}
}
