package backendtest

import (
	"fmt"
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

// set returns how long the Set took. By so much may an entry expire late in a store that counts its
// TTL from the arrival of the Set.
func (c check[V]) set(key string, i int, expiresAt time.Time) (took time.Duration) {
	c.t.Helper()
	begin := time.Now()
	if err := c.b.Set(c.t.Context(), key, backends.Entry[V]{Value: c.Value(i), ExpiresAt: expiresAt}); err != nil {
		c.t.Fatalf("Set: %v", err)
	}
	return time.Since(begin)
}

// lateness is how long after its expiry an entry may be returned whose Set took so long.
func (c check[V]) lateness(took time.Duration) time.Duration {
	if c.Precision == 0 {
		took = 0 // the store promises the instant
	}
	return c.Precision + took + time.Millisecond
}

func (c check[V]) remove(key string) {
	c.t.Helper()
	if err := c.b.Delete(c.t.Context(), key); err != nil {
		c.t.Fatalf("Delete: %v", err)
	}
}

func (c check[V]) hit(key string, i int, expiresAt time.Time) {
	c.t.Helper()
	if problem := c.noHit(key, i, expiresAt); problem != "" {
		c.t.Fatal(problem)
	}
}

// noHit describes an answer that is not the hit, and returns "" if it is.
func (c check[V]) noHit(key string, i int, expiresAt time.Time) (problem string) {
	entry, ok, err := c.b.Get(c.t.Context(), key)
	switch {
	case err != nil:
		return fmt.Sprintf("Get: %v", err)
	case !ok:
		return "Get: a miss, want a hit"
	case !c.Equal(entry.Value, c.Value(i)):
		return fmt.Sprintf("Get: value %s, want %s", show(entry.Value), show(c.Value(i)))
	case !sameExpiry(entry.ExpiresAt, expiresAt, 0):
		return fmt.Sprintf("Get: expires at %v, want %v to the millisecond", entry.ExpiresAt, expiresAt)
	}
	if value, ok, err := c.value(key); err != nil || !ok || !c.Equal(value, c.Value(i)) {
		return fmt.Sprintf("GetValue: %s, %t, %v, want %s", show(value), ok, err, show(c.Value(i)))
	}
	return ""
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
