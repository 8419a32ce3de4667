package backendtest

import (
	"reflect"

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
	result, err := c.versioned().Write(c.t.Context(), &w)
	switch {
	case err != nil:
		c.t.Fatalf("Write: %v", err)
	case !result.Applied():
		c.t.Fatalf("Write of %s: %s, want it applied", showWrite(w), showResult(result))
	case result.Version == 0:
		c.t.Fatalf("Write of %s: applied without a version", showWrite(w))
	}
	switch _, answer := c.look(w.Key); {
	case answer.Version != result.Version:
		c.t.Fatalf("GetIf after Write of %s: version %d, want that of Write, %d", showWrite(w), answer.Version, result.Version)
	case answer.Source != result.Source:
		c.t.Fatalf("GetIf after Write of %s: source %d, want that of Write, %d", showWrite(w), answer.Source, result.Source)
	}
	return result.Version
}

// refused makes a write that must be refused, and must change nothing.
func (c check[V]) refused(w backends.Write[V], reason backends.Refusal) {
	c.t.Helper()
	entry, before := c.look(w.Key)
	result, err := c.versioned().Write(c.t.Context(), &w)
	want := backends.Result{Refused: reason, Version: before.Version, Source: before.Source}
	switch {
	case err != nil:
		c.t.Fatalf("Write of %s: error %v, want %s", showWrite(w), err, showResult(want))
	case result != want:
		c.t.Fatalf("Write of %s: %s, want %s", showWrite(w), showResult(result), showResult(want))
	}
	entry2, after := c.look(w.Key)
	if !reflect.DeepEqual(before, after) || !c.Equal(entry.Value, entry2.Value) || !sameExpiry(entry.ExpiresAt, entry2.ExpiresAt, 0) {
		c.t.Fatalf("GetIf after a refused Write of %s: %s with %+v, before it %s with %+v",
			showWrite(w), showEntry(entry2), after, showEntry(entry), before)
	}
}
