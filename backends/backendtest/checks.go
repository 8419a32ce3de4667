package backendtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

var never time.Time

func testMiss[V any](c check[V]) { c.miss("absent") }

func testSetGet[V any](c check[V]) {
	c.set("never", 1, never)
	c.hit("never", 1, never)
	end := time.Now().Add(time.Hour)
	c.set("hour", 2, end)
	c.hit("hour", 2, end)
}

func testReplace[V any](c check[V]) {
	for i := range 3 {
		c.set("k", i, never)
		c.hit("k", i, never)
	}
}

func testKeys[V any](c check[V]) {
	keys := []string{
		"a", "A", "a ", " a", "a:b", "a/b", "a\x00b", "a\n", "\xff\xfe", "ключ", "🗝", "{a}", "*", "%s", "..",
		strings.Repeat("k", c.MaxKeySize),
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

func testDelete[V any](c check[V]) {
	c.set("k", 1, never)
	c.set("other", 2, never)
	c.remove("k")
	c.miss("k")
	c.hit("other", 2, never)
	c.set("k", 3, never)
	c.hit("k", 3, never)
}

func testDeleteAbsent[V any](c check[V]) {
	c.remove("absent")
	c.remove("absent")
}

func testExpiry[V any](c check[V]) {
	const ttl = 1700 * time.Millisecond
	var rest, took time.Duration
	c.timely(func(trial int) (problem string, until time.Time) {
		end := time.Now().Add(ttl)
		rest, took = ttl/10*time.Duration(min(trial, 4)), c.set("mortal", 1, end) // more would not reach the full second
		c.set("immortal", 2, never)
		if problem := c.noHit("mortal", 1, end); problem != "" {
			return problem, end
		}
		c.advance(ttl - rest)
		return c.noHit("mortal", 1, end), end // it does not expire before its time, to the full second
	})
	c.advance(rest + c.lateness(took))
	c.miss("mortal")
	c.hit("immortal", 2, never)
}

func testAlreadyExpired[V any](c check[V]) {
	c.set("k", 1, never)
	c.set("k", 2, time.Now().Add(-time.Minute))
	c.miss("k")
}

func testReplaceExpiry[V any](c check[V]) {
	const ttl = 1700 * time.Millisecond
	soon, late := time.Now().Add(ttl), time.Now().Add(time.Hour)
	c.set("longer", 1, soon)
	c.set("longer", 2, late)
	c.set("endless", 3, soon)
	c.set("endless", 4, never)
	c.set("shorter", 5, late)
	took := c.set("shorter", 6, soon)
	c.set("mortal", 7, never)
	took = max(took, c.set("mortal", 8, soon))
	c.advance(ttl + c.lateness(took))
	c.hit("longer", 2, late)
	c.hit("endless", 4, never)
	c.miss("shorter")
	c.miss("mortal")
}

func testCancelled[V any](c check[V]) {
	ctx, cancel := context.WithCancel(c.t.Context())
	cancel()
	// That a call does not end is for another test to say.
	ended, err := c.inTime(ctx, func() error { return c.b.Set(ctx, "set", backends.Entry[V]{Value: c.Value(1)}) })
	switch {
	case !ended:
	case err == nil:
		c.hit("set", 1, never)
	case backends.CertainlyNotApplied(err):
		c.miss("set")
	}
	c.set("deleted", 2, never)
	ended, err = c.inTime(ctx, func() error { return c.b.Delete(ctx, "deleted") })
	switch {
	case !ended:
	case err == nil:
		c.miss("deleted")
	case backends.CertainlyNotApplied(err):
		c.hit("deleted", 2, never)
	}
	c.set("read", 3, never)
	var entry backends.Entry[V]
	var ok bool
	ended, err = c.inTime(ctx, func() (err error) {
		entry, ok, err = c.b.Get(ctx, "read")
		return err
	})
	if ended && err == nil && (!ok || !c.Equal(entry.Value, c.Value(3))) {
		c.t.Fatal("Get with a cancelled context: neither an error nor the value")
	}
}

func testStage[V any](c check[V]) {
	stager, ok := c.b.(backends.Stager[V])
	if !ok {
		return // staging is optional, and there is nothing to hold it to
	}
	c.set("k", 1, never)
	set, err := stager.Stage(c.t.Context(), "k", backends.Entry[V]{Value: c.Value(2)})
	if err != nil {
		c.t.Fatalf("Stage: %v", err)
	}
	c.hit("k", 1, never)
	for range 2 {
		if err := set(c.t.Context()); err != nil {
			c.t.Fatalf("the staged set: %v", err)
		}
		c.hit("k", 2, never)
	}
}

func testDescription[V any](c check[V]) {
	if first, again := backends.DescriptionOf(c.b), backends.DescriptionOf(c.b); first != again {
		c.t.Fatalf("Describe: %+v, then %+v", first, again)
	}
}

func testConcurrent[V any](c check[V]) {
	const workers, rounds = 8, 25
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			own := fmt.Sprintf("own-%d", w)
			for i := range rounds {
				entry := backends.Entry[V]{Value: c.Value(w*rounds + i)}
				for _, key := range []string{own, "shared"} {
					if err := c.b.Set(c.t.Context(), key, entry); err != nil {
						c.t.Errorf("Set: %v", err)
						return
					}
				}
				got, ok, err := c.b.Get(c.t.Context(), own)
				if err != nil || !ok || !c.Equal(got.Value, entry.Value) {
					c.t.Errorf("Get of a key that only this goroutine writes: %s, %t, %v", show(got.Value), ok, err)
					return
				}
				if err := c.b.Delete(c.t.Context(), "shared"); err != nil {
					c.t.Errorf("Delete: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	for w := range workers {
		c.hit(fmt.Sprintf("own-%d", w), w*rounds+rounds-1, never)
	}
}
