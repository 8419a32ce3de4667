package backendtest

import (
	"context"

	"github.com/tiercache/tiercache/backends"
)

// anyCall is one of the ways to call a backend.
type anyCall[V any] struct {
	name string
	make func(ctx context.Context, key string, i int) error
}

// everyCall returns all ways to call the backend, those of its optional interfaces
// included. A staged write is staged under the same context.
func (c check[V]) everyCall() []anyCall[V] {
	all := []anyCall[V]{
		{"Get", func(ctx context.Context, key string, _ int) error {
			_, _, err := c.b.Get(ctx, key)
			return err
		}},
		{"Set", func(ctx context.Context, key string, i int) error {
			return c.b.Set(ctx, key, backends.Entry[V]{Value: c.Value(i)})
		}},
		{"Delete", func(ctx context.Context, key string, _ int) error { return c.b.Delete(ctx, key) }},
	}
	if g, ok := c.b.(backends.ValueGetter[V]); ok {
		all = append(all, anyCall[V]{"GetValue", func(ctx context.Context, key string, _ int) error {
			_, _, err := g.GetValue(ctx, key)
			return err
		}})
	}
	if s, ok := c.b.(backends.Stager[V]); ok {
		all = append(all, anyCall[V]{"a staged Set", func(ctx context.Context, key string, i int) error {
			set, err := s.Stage(ctx, key, backends.Entry[V]{Value: c.Value(i)})
			if err != nil {
				return err
			}
			return set(ctx)
		}})
	}
	return all
}
