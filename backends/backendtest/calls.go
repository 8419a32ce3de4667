package backendtest

import (
	"context"
	"errors"

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
	return append(all, c.everyOptionalCall()...)
}

// everyOptionalCall returns those of the abilities.
func (c check[V]) everyOptionalCall() (all []anyCall[V]) {
	if v := backends.AsVersioned(c.b); v != nil {
		all = append(all, anyCall[V]{"Write", func(ctx context.Context, key string, i int) error {
			w := c.setOf(key, i)
			w.Note = []byte("note")
			_, err := v.Write(ctx, &w)
			return err
		}}, anyCall[V]{"GetIf", func(ctx context.Context, key string, _ int) error {
			_, _, err := v.GetIf(ctx, key, 0)
			return err
		}})
	}
	if b := backends.AsBatcher(c.b); b != nil {
		all = append(all, anyCall[V]{"WriteMany", func(ctx context.Context, key string, i int) error {
			done := make([]backends.Done, 2)
			b.WriteMany(ctx, []backends.Write[V]{c.setOf(key, i), deleteOf[V](key)}, done)
			return errors.Join(done[0].Err, done[1].Err)
		}}, anyCall[V]{"GetMany", func(ctx context.Context, key string, _ int) error {
			got := make([]backends.Got[V], 2)
			b.GetMany(ctx, []string{key, key + "2"}, got)
			return errors.Join(got[0].Err, got[1].Err)
		}})
	}
	if s := backends.AsStamped(c.b); s != nil {
		all = append(all, anyCall[V]{"SetStamped", func(ctx context.Context, key string, i int) error {
			return s.SetStamped(ctx, key, backends.Entry[V]{Value: c.Value(i)}, backends.Stamp{Epoch: 1})
		}}, anyCall[V]{"GetStamped", func(ctx context.Context, key string, _ int) error {
			_, _, _, err := s.GetStamped(ctx, key)
			return err
		}})
	}
	return all
}
