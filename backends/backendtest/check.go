package backendtest

import (
	"reflect"
	"testing"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// check binds the suite to one test and its backend. The suite's own tests put
// something else in the place of t, to see the failures that it reports.
type check[V any] struct {
	Suite[V]
	t       testing.TB
	b       backends.Backend[V]
	advance func(d time.Duration)

	breakStore, hang, sync func() // nil, if the suite cannot
}

func (s Suite[V]) check(t *testing.T) check[V] {
	if s.Equal == nil {
		s.Equal = func(a, b V) bool { return reflect.DeepEqual(a, b) }
	}
	if s.Advance == nil {
		s.Advance = wait
	}
	if s.MaxKeySize == 0 {
		s.MaxKeySize = defaultMaxKeySize
	}
	if s.Patience == 0 {
		s.Patience = defaultPatience
	}
	c := check[V]{Suite: s, t: t, b: s.New(t), advance: func(d time.Duration) { s.Advance(t, d) }}
	if s.Break != nil {
		c.breakStore = func() { s.Break(t, c.b) }
	}
	if s.Hang != nil {
		c.hang = func() { s.Hang(t, c.b) }
	}
	if s.Sync != nil {
		c.sync = func() { s.Sync(t, c.b) }
	}
	return c
}

func (c check[V]) set(key string, i int, expiresAt time.Time) {
	c.t.Helper()
	if err := c.b.Set(c.t.Context(), key, backends.Entry[V]{Value: c.Value(i), ExpiresAt: expiresAt}); err != nil {
		c.t.Fatalf("Set: %v", err)
	}
}

func (c check[V]) remove(key string) {
	c.t.Helper()
	if err := c.b.Delete(c.t.Context(), key); err != nil {
		c.t.Fatalf("Delete: %v", err)
	}
}

func (c check[V]) hit(key string, i int, expiresAt time.Time) {
	c.t.Helper()
	entry, ok, err := c.b.Get(c.t.Context(), key)
	switch {
	case err != nil:
		c.t.Fatalf("Get: %v", err)
	case !ok:
		c.t.Fatal("Get: a miss, want a hit")
	case !c.Equal(entry.Value, c.Value(i)):
		c.t.Fatalf("Get: value %s, want %s", show(entry.Value), show(c.Value(i)))
	case !sameExpiry(entry.ExpiresAt, expiresAt, 0):
		c.t.Fatalf("Get: expires at %v, want %v to the millisecond", entry.ExpiresAt, expiresAt)
	}
	if value, ok, err := c.value(key); err != nil || !ok || !c.Equal(value, c.Value(i)) {
		c.t.Fatalf("GetValue: %s, %t, %v, want %s", show(value), ok, err, show(c.Value(i)))
	}
}

// value is that of GetValue, or of Get where the backend has no GetValue.
func (c check[V]) value(key string) (value V, ok bool, err error) {
	if g, ok := c.b.(backends.ValueGetter[V]); ok {
		return g.GetValue(c.t.Context(), key)
	}
	entry, ok, err := c.b.Get(c.t.Context(), key)
	return entry.Value, ok, err
}

func (c check[V]) miss(key string) {
	c.t.Helper()
	entry, ok, err := c.b.Get(c.t.Context(), key)
	switch {
	case err != nil:
		c.t.Fatalf("Get: error %v, want a miss", err)
	case ok:
		c.t.Fatalf("Get: value %s, want a miss", show(entry.Value))
	}
	if value, ok, err := c.value(key); err != nil || ok {
		c.t.Fatalf("GetValue: %s, %t, %v, want a miss", show(value), ok, err)
	}
}
