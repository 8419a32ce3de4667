package backendtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// syncTime is how long the suite waits for a backend to be in sync.
const syncTime = 30 * time.Second

// testLog finds changes that the log lacks, has twice, or has in another order than the
// store made them, and refused writes that it has.
func testLog[V any](c check[V]) {
	w := backends.AsWatcher(c.b)
	if w == nil || c.versioned() == nil {
		return
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	told, ended := new(told), make(chan error, 1)
	go func() { ended <- w.Watch(ctx, told) }()
	c.inSync(told, ended)
	told.take()

	want := c.logged()
	c.inSync(told, ended)
	got := told.take()
	for key, changes := range want {
		c.sameChanges(key, got[key], changes)
		if seen := w.Seen(key); seen < changes[len(changes)-1].Version {
			c.t.Errorf("Seen: %d, want %d at least", seen, changes[len(changes)-1].Version)
		}
	}
	for key, changes := range got {
		if _, ok := want[key]; !ok {
			c.t.Errorf("the log has %d changes of a key that was not changed", len(changes))
		}
	}
	if told.lost > 0 {
		c.t.Errorf("the backend has lost changes %d times", told.lost)
	}
	cancel()
	switch ended, err := c.patiently(ended); {
	case !ended:
		c.t.Errorf("Watch has not returned %v after its context ended", c.Patience)
	case !errors.Is(err, context.Canceled):
		c.t.Errorf("Watch: the error does not wrap that of its context: %v", err)
	}
}

// logged makes changes, and returns those that the log must have, by key.
func (c check[V]) logged() map[string][]backends.Change {
	want := make(map[string][]backends.Change)
	add := func(key string, kind tier.Kind, w backends.Write[V], v backends.Version) {
		want[key] = append(want[key], backends.Change{Key: key, Kind: kind, Version: v, Operation: w.Operation, Note: w.Note})
	}
	now := func(key string) backends.Version {
		_, answer := c.look(key)
		return answer.Version
	}
	c.set("plain", 1, never)
	add("plain", tier.Set, backends.Write[V]{}, now("plain"))
	c.remove("plain")
	add("plain", tier.Delete, backends.Write[V]{}, now("plain"))
	if s, ok := c.b.(backends.Stager[V]); ok {
		set, err := s.Stage(c.t.Context(), "plain", backends.Entry[V]{Value: c.Value(2)})
		if err != nil {
			c.t.Fatalf("Stage: %v", err)
		}
		if err := set(c.t.Context()); err != nil {
			c.t.Fatalf("the staged set: %v", err)
		}
		add("plain", tier.Set, backends.Write[V]{}, now("plain"))
	}
	for i := range 5 {
		for _, key := range []string{"a", "b\x00\xff\n"} {
			w := c.setOf(key, i)
			w.Operation, w.Note = 1<<63+uint64(i), []byte{0, 0xff, byte(i)} //nolint:gosec // small
			if i == 3 {
				w.Kind = tier.Delete
			}
			add(key, w.Kind, w, c.made(w))
			w.If = backends.Is(now(key) - 1)
			c.refused(w, backends.RefusedCondition)
		}
	}
	if backends.AsBatcher(c.b) == nil {
		return want
	}
	writes := []backends.Write[V]{c.setOf("a", 10), deleteOf[V]("a"), c.setOf("a", 11), c.setOf("c", 12)}
	writes[2].Operation, writes[2].Note = 77, []byte("batch")
	for i, d := range c.writeMany(writes) {
		add(writes[i].Key, writes[i].Kind, writes[i], d.Result.Version)
	}
	return want
}

func (c check[V]) sameChanges(key string, got, want []backends.Change) {
	c.t.Helper()
	same := func(a, b backends.Change) bool {
		return a.Kind == b.Kind && a.Version == b.Version && a.Operation == b.Operation && bytes.Equal(a.Note, b.Note)
	}
	if slices.EqualFunc(got, want, same) {
		return
	}
	c.t.Errorf("the log has of key %q: %s, want %s", key, showChanges(got), showChanges(want))
}

// inSync waits until all changes that were made before have been told.
func (c check[V]) inSync(t *told, ended <-chan error) {
	c.t.Helper()
	asked := time.Now()
	for time.Since(asked) < syncTime {
		if c.sync != nil {
			c.sync()
		}
		if t.syncedAfter(asked) {
			return
		}
		timer := time.NewTimer(10 * time.Millisecond)
		select {
		case err := <-ended:
			c.t.Fatalf("Watch has returned before its context ended: %v", err)
		case <-timer.C:
		}
	}
	c.t.Fatalf("Watch: Synced was not called for an instant after a change within %v", syncTime)
}

// told is a sink that keeps what it is told.
type told struct {
	mu      sync.Mutex
	changes map[string][]backends.Change
	synced  time.Time
	lost    int
}

func (t *told) Changed(changes []backends.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, change := range changes {
		if t.changes == nil {
			t.changes = make(map[string][]backends.Change)
		}
		change.Note = slices.Clone(change.Note)
		t.changes[change.Key] = append(t.changes[change.Key], change)
	}
}

func (t *told) Synced(asOf time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.synced = asOf
}

func (t *told) Lost(backends.Loss) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost++
}

func (t *told) syncedAfter(instant time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.synced.IsZero() && !t.synced.Before(instant)
}

func (t *told) take() map[string][]backends.Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	changes := t.changes
	t.changes = nil
	return changes
}
