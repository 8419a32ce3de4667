package backendtest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// testAbilities finds an ability that is declared and has no interface. What is not
// declared is not tested.
func testAbilities[V any](c check[V]) {
	a := backends.DescriptionOf(c.b).Abilities
	for _, ability := range []struct {
		name     string
		declared bool
		kept     bool
	}{
		{"Versions", a.Versions, backends.AsVersioned(c.b) != nil},
		{"Deadlines", a.Deadlines, backends.AsClocked(c.b) != nil && backends.AsVersioned(c.b) != nil},
		{"Batches", a.Batches, backends.AsBatcher(c.b) != nil},
		{"Log", a.Log, backends.AsWatcher(c.b) != nil && backends.AsVersioned(c.b) != nil},
		{"Stamps", a.Stamps, backends.AsStamped(c.b) != nil},
		{"Walks", a.Walks, backends.AsWalker(c.b) != nil},
	} {
		if ability.declared && !ability.kept {
			c.t.Errorf("Describe: the ability %s is declared, and the backend lacks its interface or that of Versions", ability.name)
		}
	}
}

// versioned returns the backend as a Versioned, or nil.
func (c check[V]) versioned() backends.Versioned[V] { return backends.AsVersioned(c.b) }

// setOf returns an unconditional Set.
func (c check[V]) setOf(key string, i int) backends.Write[V] {
	return backends.Write[V]{Key: key, Kind: tier.Set, Entry: backends.Entry[V]{Value: c.Value(i)}}
}

// deleteOf returns an unconditional Delete.
func deleteOf[V any](key string) backends.Write[V] {
	return backends.Write[V]{Key: key, Kind: tier.Delete}
}

// look returns the entry at key and what the store knows about it.
func (c check[V]) look(key string) (backends.Entry[V], backends.Answer) {
	c.t.Helper()
	entry, answer, err := c.versioned().GetIf(c.t.Context(), key, 0)
	if err != nil {
		c.t.Fatalf("GetIf: %v", err)
	}
	return entry, answer
}

// made makes a write that must be applied, and returns its version.
func (c check[V]) made(w backends.Write[V]) backends.Version {
	c.t.Helper()
	version, problem := c.apply(w)
	if problem != "" {
		c.t.Fatal(problem)
	}
	return version
}

// apply describes a write that is not applied, or whose version the store does not have, and
// returns "" if it is.
func (c check[V]) apply(w backends.Write[V]) (version backends.Version, problem string) {
	c.t.Helper()
	begin := time.Now()
	result, err := c.versioned().Write(c.t.Context(), &w)
	switch {
	case err != nil:
		return 0, fmt.Sprintf("Write: %v", err)
	case !result.Applied():
		return 0, fmt.Sprintf("Write of %s: %s, want it applied", showWrite(w), showResult(result))
	case result.Version == 0:
		return 0, fmt.Sprintf("Write of %s: applied without a version", showWrite(w))
	}
	switch _, answer := c.look(w.Key); {
	case mayForget(w, begin):
	case answer.Version != result.Version:
		return 0, fmt.Sprintf("GetIf after Write of %s: version %d, want that of Write, %d", showWrite(w), answer.Version, result.Version)
	case answer.Source != result.Source:
		return 0, fmt.Sprintf("GetIf after Write of %s: source %d, want that of Write, %d", showWrite(w), answer.Source, result.Source)
	}
	return result.Version, ""
}

// mayForget reports whether a store may have forgotten by now a write that has begun then.
func mayForget[V any](w backends.Write[V], begin time.Time) bool {
	if w.Kind == tier.Set && w.Entry.ExpiresAt.IsZero() {
		return false
	}
	if w.Kind == tier.Set && w.Entry.ExpiresAt.After(begin) {
		begin = w.Entry.ExpiresAt
	}
	keep := w.Keep
	if keep == 0 {
		keep = backends.DefaultKeep
	}
	return time.Since(begin) >= keep
}

// refused makes a write that must be refused, and must change nothing.
func (c check[V]) refused(w backends.Write[V], reason backends.Refusal) {
	c.t.Helper()
	if problem := c.notRefused(w, reason); problem != "" {
		c.t.Fatal(problem)
	}
}

// notRefused describes a write that is not refused, or that changes something, and returns "" if
// it is refused.
func (c check[V]) notRefused(w backends.Write[V], reason backends.Refusal) (problem string) {
	c.t.Helper()
	entry, before := c.look(w.Key)
	result, err := c.versioned().Write(c.t.Context(), &w)
	want := backends.Result{Refused: reason, Version: before.Version, Source: before.Source}
	switch {
	case err != nil:
		return fmt.Sprintf("Write of %s: error %v, want %s", showWrite(w), err, showResult(want))
	case result != want:
		return fmt.Sprintf("Write of %s: %s, want %s", showWrite(w), showResult(result), showResult(want))
	}
	entry2, after := c.look(w.Key)
	if !reflect.DeepEqual(before, after) || !c.Equal(entry.Value, entry2.Value) || !sameExpiry(entry.ExpiresAt, entry2.ExpiresAt, 0) {
		return fmt.Sprintf("GetIf after a refused Write of %s: %s with %+v, before it %s with %+v",
			showWrite(w), showEntry(entry2), after, showEntry(entry), before)
	}
	return ""
}
