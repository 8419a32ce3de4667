package backendtest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// testStamps finds stamps that are lost, or that stay when their value is replaced.
func testStamps[V any](c check[V]) {
	s := backends.AsStamped(c.b)
	if s == nil {
		return
	}
	const ttl = 700 * time.Millisecond
	stamp := backends.Stamp{Version: math.MaxUint64, Source: 1<<63 + 1, Epoch: math.MaxUint32}
	setStamped := func(key string, i int, expiresAt time.Time, stamp backends.Stamp) {
		c.t.Helper()
		entry := backends.Entry[V]{Value: c.Value(i), ExpiresAt: expiresAt}
		if err := s.SetStamped(c.t.Context(), key, entry, stamp); err != nil {
			c.t.Fatalf("SetStamped: %v", err)
		}
	}
	has := func(key string, i int, expiresAt time.Time, want backends.Stamp) {
		c.t.Helper()
		entry, got, ok, err := s.GetStamped(c.t.Context(), key)
		switch {
		case err != nil || !ok:
			c.t.Fatalf("GetStamped: %t, %v, want a hit", ok, err)
		case !c.Equal(entry.Value, c.Value(i)) || !sameExpiry(entry.ExpiresAt, expiresAt, 0):
			c.t.Fatalf("GetStamped: %s, want %s", showEntry(entry), showEntry(backends.Entry[V]{Value: c.Value(i), ExpiresAt: expiresAt}))
		case got != want:
			c.t.Fatalf("GetStamped: stamp %+v, want %+v", got, want)
		}
		c.hit(key, i, expiresAt)
	}
	hasNot := func(key string) {
		c.t.Helper()
		if entry, got, ok, err := s.GetStamped(c.t.Context(), key); ok || err != nil {
			c.t.Fatalf("GetStamped: %s with %+v, %v, want a miss", showEntry(entry), got, err)
		}
		c.miss(key)
	}
	hasNot("k")
	hour := time.Now().Add(time.Hour)
	setStamped("k", 1, hour, stamp)
	setStamped("other", 2, never, backends.Stamp{Epoch: 1})
	has("k", 1, hour, stamp)
	has("other", 2, never, backends.Stamp{Epoch: 1})
	setStamped("k", 3, never, backends.Stamp{Epoch: 2})
	has("k", 3, never, backends.Stamp{Epoch: 2})
	c.set("k", 4, never)
	has("k", 4, never, backends.Stamp{}) // a plain Set has none
	setStamped("k", 5, never, stamp)
	c.remove("k")
	hasNot("k")
	c.set("k", 6, never)
	has("k", 6, never, backends.Stamp{})
	setStamped("k", 7, time.Now().Add(ttl), stamp)
	c.advance(ttl + c.Precision + time.Millisecond)
	hasNot("k")
	has("other", 2, never, backends.Stamp{Epoch: 1})
}

// testWalk finds entries that a walk misses, and others that it shows.
func testWalk[V any](c check[V]) {
	w := backends.AsWalker(c.b)
	if w == nil {
		return
	}
	const ttl = 700 * time.Millisecond
	want := make(map[string]backends.Stamp)
	for i := range 20 {
		key := fmt.Sprint("k", i)
		want[key] = backends.Stamp{}
		if s := backends.AsStamped(c.b); s != nil && i%2 == 0 {
			want[key] = backends.Stamp{Version: 1, Source: 2, Epoch: 3}
			if err := s.SetStamped(c.t.Context(), key, backends.Entry[V]{Value: c.Value(i)}, want[key]); err != nil {
				c.t.Fatalf("SetStamped: %v", err)
			}
			continue
		}
		c.set(key, i, never)
	}
	c.set("expired", 20, time.Now().Add(ttl))
	c.set("deleted", 21, never)
	c.remove("deleted")
	c.advance(ttl + c.Precision + time.Millisecond)

	visited, twice := make(map[string]backends.Stamp), 0
	err := w.Walk(c.t.Context(), func(key string, stamp backends.Stamp) bool {
		if _, ok := visited[key]; ok {
			twice++
		}
		visited[key] = stamp
		return true
	})
	if err != nil || twice > 0 || !maps.Equal(visited, want) {
		c.t.Fatalf("Walk: %v, %v, and %d keys twice, want %v", visited, err, twice, want)
	}
	n := 0
	if err := w.Walk(c.t.Context(), func(string, backends.Stamp) bool { n++; return n < 3 }); n != 3 || err != nil {
		c.t.Fatalf("Walk until visit returns false the third time: %d visits, %v", n, err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	cancel()
	if err := w.Walk(ctx, func(string, backends.Stamp) bool { return true }); err == nil {
		c.t.Fatal("Walk with a cancelled context: no error")
	}
	c.walkAndDelete(w)
}

// walkAndDelete lets visit call the backend.
func (c check[V]) walkAndDelete(w backends.Walker) {
	ctx, cancel := context.WithTimeout(c.t.Context(), c.Patience)
	defer cancel()
	ended, err := c.inTime(ctx, func() error {
		return w.Walk(c.t.Context(), func(key string, _ backends.Stamp) bool {
			if err := c.b.Delete(c.t.Context(), key); err != nil {
				c.t.Errorf("Delete: %v", err)
			}
			return true
		})
	})
	if !ended || err != nil {
		c.t.Fatalf("Walk with a visit that calls Delete: ended: %t, %v", ended, err)
	}
	left := 0
	if err := w.Walk(c.t.Context(), func(string, backends.Stamp) bool { left++; return true }); err != nil || left > 0 {
		c.t.Fatalf("Walk after all was deleted: %d visits, %v", left, err)
	}
}
