package backendtest

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Suite is the conformance suite: what a cache relies on in a backend. Run it in
// a test of the adapter:
//
//	backendtest.Suite[[]byte]{
//		New:   func(t *testing.T) backends.Backend[[]byte] { return open(t) },
//		Value: func(i int) []byte { return fmt.Append(nil, i) },
//	}.Run(t)
type Suite[V any] struct {
	// New returns an empty backend with room for at least 100 entries. It
	// should release it by t.Cleanup. Required.
	New func(t *testing.T) backends.Backend[V]

	// Value returns a value that differs for each i. Required.
	Value func(i int) V

	// Equal compares two values. Default: reflect.DeepEqual.
	Equal func(a, b V) bool

	// Advance lets d pass for the backend and for time.Now, for instance by
	// time.Sleep inside of a testing/synctest bubble. Default: it waits.
	Advance func(t *testing.T, d time.Duration)

	// Precision is how much longer than it should an entry may live. The suite
	// waits that long before it calls an entry immortal. Default: 0.
	Precision time.Duration
}

// Run runs the suite, each test with a backend of its own.
func (s Suite[V]) Run(t *testing.T) {
	t.Helper()
	if s.New == nil || s.Value == nil {
		t.Fatal("backendtest: Suite needs New and Value")
	}
	if s.Equal == nil {
		s.Equal = func(a, b V) bool { return reflect.DeepEqual(a, b) }
	}
	if s.Advance == nil {
		s.Advance = wait
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, c check[V])
	}{
		{"a miss is not an error", testMiss[V]},
		{"get returns what was set", testSetGet[V]},
		{"set replaces", testReplace[V]},
		{"keys are independent", testKeys[V]},
		{"delete removes", testDelete[V]},
		{"deleting an absent key is not an error", testDeleteAbsent[V]},
		{"an entry expires", testExpiry[V]},
		{"an expired entry is a miss", testAlreadyExpired[V]},
		{"set replaces the expiry", testReplaceExpiry[V]},
		{"a cancelled context is no lie", testCancelled[V]},
		{"staging touches nothing", testStage[V]},
		{"the description does not change", testDescription[V]},
		{"concurrent use", testConcurrent[V]},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, check[V]{Suite: s, t: t, b: s.New(t)})
		})
	}
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// check binds the suite to one test and its backend.
type check[V any] struct {
	Suite[V]
	t *testing.T
	b backends.Backend[V]
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
		c.t.Fatalf("Get: value %v, want %v", entry.Value, c.Value(i))
	case entry.ExpiresAt.IsZero() != expiresAt.IsZero(),
		entry.ExpiresAt.Sub(expiresAt).Abs() >= time.Millisecond:
		c.t.Fatalf("Get: expires at %v, want %v to the millisecond", entry.ExpiresAt, expiresAt)
	}
}

func (c check[V]) miss(key string) {
	c.t.Helper()
	entry, ok, err := c.b.Get(c.t.Context(), key)
	switch {
	case err != nil:
		c.t.Fatalf("Get: error %v, want a miss", err)
	case ok:
		c.t.Fatalf("Get: value %v, want a miss", entry.Value)
	}
}

var never time.Time

func testMiss[V any](_ *testing.T, c check[V]) { c.miss("absent") }

func testSetGet[V any](_ *testing.T, c check[V]) {
	c.set("never", 1, never)
	c.hit("never", 1, never)
	end := time.Now().Add(time.Hour)
	c.set("hour", 2, end)
	c.hit("hour", 2, end)
}

func testReplace[V any](_ *testing.T, c check[V]) {
	for i := range 3 {
		c.set("k", i, never)
		c.hit("k", i, never)
	}
}

func testKeys[V any](_ *testing.T, c check[V]) {
	keys := []string{
		"a", "A", "a ", " a", "a:b", "a/b", "a\x00b", "a\n", "\xff\xfe", "ключ", "🗝", "{a}", "*", "%s", "..",
		strings.Repeat("k", 200),
	}
	for i, key := range keys {
		c.set(key, i, never)
	}
	for i, key := range keys {
		c.hit(key, i, never)
	}
	for i, key := range keys {
		c.remove(key)
		c.miss(key)
		for j, other := range keys[i+1:] {
			c.hit(other, i+1+j, never)
		}
	}
}

func testDelete[V any](_ *testing.T, c check[V]) {
	c.set("k", 1, never)
	c.set("other", 2, never)
	c.remove("k")
	c.miss("k")
	c.hit("other", 2, never)
	c.set("k", 3, never)
	c.hit("k", 3, never)
}

func testDeleteAbsent[V any](_ *testing.T, c check[V]) {
	c.remove("absent")
	c.remove("absent")
}

func testExpiry[V any](t *testing.T, c check[V]) {
	const life = 2 * time.Second
	end := time.Now().Add(life)
	c.set("mortal", 1, end)
	c.set("immortal", 2, never)
	c.hit("mortal", 1, end)
	c.Advance(t, life+c.Precision+time.Millisecond)
	c.miss("mortal")
	c.hit("immortal", 2, never)
}

func testAlreadyExpired[V any](_ *testing.T, c check[V]) {
	c.set("k", 1, never)
	c.set("k", 2, time.Now().Add(-time.Minute))
	c.miss("k")
}

func testReplaceExpiry[V any](t *testing.T, c check[V]) {
	const life = 2 * time.Second
	soon, late := time.Now().Add(life), time.Now().Add(time.Hour)
	c.set("longer", 1, soon)
	c.set("longer", 2, late)
	c.set("endless", 3, soon)
	c.set("endless", 4, never)
	c.set("shorter", 5, late)
	c.set("shorter", 6, soon)
	c.set("mortal", 7, never)
	c.set("mortal", 8, soon)
	c.Advance(t, life+c.Precision+time.Millisecond)
	c.hit("longer", 2, late)
	c.hit("endless", 4, never)
	c.miss("shorter")
	c.miss("mortal")
}

func testCancelled[V any](t *testing.T, c check[V]) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.b.Set(ctx, "set", backends.Entry[V]{Value: c.Value(1)}); err == nil {
		c.hit("set", 1, never)
	} else if backends.CertainlyNotApplied(err) {
		c.miss("set")
	}
	c.set("deleted", 2, never)
	if err := c.b.Delete(ctx, "deleted"); err == nil {
		c.miss("deleted")
	} else if backends.CertainlyNotApplied(err) {
		c.hit("deleted", 2, never)
	}
	c.set("read", 3, never)
	if entry, ok, err := c.b.Get(ctx, "read"); err == nil && (!ok || !c.Equal(entry.Value, c.Value(3))) {
		t.Fatal("Get with a cancelled context: neither an error nor the value")
	}
}

func testStage[V any](t *testing.T, c check[V]) {
	stager, ok := c.b.(backends.Stager[V])
	if !ok {
		return // staging is optional, and there is nothing to hold it to
	}
	c.set("k", 1, never)
	set, err := stager.Stage(t.Context(), "k", backends.Entry[V]{Value: c.Value(2)})
	if err != nil {
		t.Fatalf("Stage: %v", err)
	}
	c.hit("k", 1, never)
	for range 2 {
		if err := set(t.Context()); err != nil {
			t.Fatalf("the staged set: %v", err)
		}
		c.hit("k", 2, never)
	}
}

func testDescription[V any](t *testing.T, c check[V]) {
	if first, again := backends.DescriptionOf(c.b), backends.DescriptionOf(c.b); first != again {
		t.Fatalf("Describe: %+v, then %+v", first, again)
	}
}

func testConcurrent[V any](t *testing.T, c check[V]) {
	const workers, rounds = 8, 25
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			own := fmt.Sprintf("own-%d", w)
			for i := range rounds {
				entry := backends.Entry[V]{Value: c.Value(w*rounds + i)}
				for _, key := range []string{own, "shared"} {
					if err := c.b.Set(t.Context(), key, entry); err != nil {
						t.Errorf("Set: %v", err)
						return
					}
				}
				got, ok, err := c.b.Get(t.Context(), own)
				if err != nil || !ok || !c.Equal(got.Value, entry.Value) {
					t.Errorf("Get of a key that only this goroutine writes: %v, %t, %v", got.Value, ok, err)
					return
				}
				if err := c.b.Delete(t.Context(), "shared"); err != nil {
					t.Errorf("Delete: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}
