package backendtest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// testBatches finds batches whose results are in the wrong places, which stop at a failure,
// or which change the order of a key's changes. One is larger than those that stores send
// at once.
func testBatches[V any](c check[V]) {
	b := backends.AsBatcher(c.b)
	if b == nil {
		return
	}
	const keys, rounds = 60, 5
	var writes []backends.Write[V]
	for i := range keys * rounds {
		w := c.setOf(fmt.Sprint("k", i%keys), i)
		if i%keys%7 == 6 {
			w = deleteOf[V](w.Key)
		}
		writes = append(writes, w)
	}
	done := c.writeMany(writes)
	last := make(map[string]backends.Version)
	for i, d := range done {
		switch {
		case d.Err != nil || !d.Result.Applied():
			c.t.Fatalf("WriteMany: element %d: %s, %v, want it applied", i, showResult(d.Result), d.Err)
		case c.versioned() != nil && d.Result.Version <= last[writes[i].Key]:
			c.t.Fatalf("WriteMany: element %d: version %d, want more than that of the key's change before it, %d",
				i, d.Result.Version, last[writes[i].Key])
		}
		last[writes[i].Key] = d.Result.Version
	}
	var asked []string
	for i := range keys * rounds {
		asked = append(asked, fmt.Sprint("k", (i*7)%(keys+1))) // one is absent
	}
	c.sameAsSingle(asked)
	c.getMany(nil)
	c.writeMany(nil)
}

// sameAsSingle finds a batch of reads that does not answer as single reads do.
func (c check[V]) sameAsSingle(keys []string) {
	c.t.Helper()
	for i, g := range c.getMany(keys) {
		if g.Err != nil {
			c.t.Fatalf("GetMany: element %d: %v", i, g.Err)
		}
		entry, ok, err := c.b.Get(c.t.Context(), keys[i])
		if err != nil {
			c.t.Fatalf("Get: %v", err)
		}
		if hit := g.Answer.Found == backends.Hit; hit != ok || !c.Equal(g.Entry.Value, entry.Value) || !sameExpiry(g.Entry.ExpiresAt, entry.ExpiresAt, 0) {
			c.t.Fatalf("GetMany: element %d: %s, hit: %t; Get: %s, hit: %t", i, showEntry(g.Entry), hit, showEntry(entry), ok)
		}
		if c.versioned() == nil {
			continue
		}
		if _, answer := c.look(keys[i]); !sameAnswer(answer, g.Answer) {
			c.t.Fatalf("GetMany: element %d: %+v; GetIf: %+v", i, g.Answer, answer)
		}
	}
}

func sameAnswer(a, b backends.Answer) bool {
	a.Note, b.Note = append([]byte{}, a.Note...), append([]byte{}, b.Note...) // nil or empty
	return reflect.DeepEqual(a, b)
}

// testBatchDecisions finds batches that decide otherwise than single writes, and elements
// that an invalid or refused one keeps from being made.
func testBatchDecisions[V any](c check[V]) {
	b := backends.AsBatcher(c.b)
	if b == nil {
		return
	}
	conditional := c.setOf("c", 2)
	conditional.If = backends.Absent()
	if c.versioned() == nil {
		done := c.writeMany([]backends.Write[V]{c.setOf("a", 1), conditional, c.setOf("b", 3)})
		if err := done[1].Err; !errors.Is(err, backends.ErrUnsupported) || !backends.CertainlyNotApplied(err) {
			c.t.Errorf("WriteMany with a condition by a store without versions: %v, want an error that wraps ErrUnsupported and is certainly not applied", err)
		}
		c.hit("a", 1, never)
		c.miss("c")
		c.hit("b", 3, never)
		return
	}
	expiry := time.Now().Add(time.Hour)
	c.made(c.setOf("c", 1))
	older := c.setOf("s", 1)
	older.Source = 5
	c.made(older)
	older.Source = 4
	first, again := c.setOf("a", 4), c.setOf("a", 5)
	first.If, again.If = backends.Absent(), backends.Absent()
	last := c.setOf("b", 6)
	last.Entry.ExpiresAt, last.Operation, last.Note, last.Codec, last.Source = expiry, 3, []byte("note"), 7, 8
	done := c.writeMany([]backends.Write[V]{conditional, {}, older, first, again, last})
	for i, want := range []backends.Refusal{
		backends.RefusedCondition, backends.NotRefused, backends.RefusedSource, backends.NotRefused, backends.RefusedCondition, backends.NotRefused,
	} {
		if i == 1 {
			if !backends.CertainlyNotApplied(done[i].Err) {
				c.t.Errorf("WriteMany: an invalid element: %v, want an error that is certainly not applied", done[i].Err)
			}
			continue
		}
		if d := done[i]; d.Err != nil || d.Result.Refused != want {
			c.t.Fatalf("WriteMany: element %d: %s, %v, want %s", i, showResult(d.Result), d.Err, showResult(backends.Result{Refused: want}))
		}
	}
	c.hit("c", 1, never)
	c.hit("a", 4, never)
	c.hit("b", 6, expiry)
	want := backends.Answer{
		Found: backends.Hit, Version: done[5].Result.Version, Source: 8, Operation: 3, Note: []byte("note"), Codec: 7,
	}
	if _, answer := c.look("b"); !sameAnswer(answer, want) {
		c.t.Fatalf("GetIf after WriteMany: %+v, want %+v", answer, want)
	}
	c.sameAsSingle([]string{"b", "absent", "c", "b"})
}

func (c check[V]) getMany(keys []string) []backends.Got[V] {
	got := make([]backends.Got[V], len(keys))
	backends.AsBatcher(c.b).GetMany(c.t.Context(), keys, got)
	return got
}

func (c check[V]) writeMany(writes []backends.Write[V]) []backends.Done {
	done := make([]backends.Done, len(writes))
	backends.AsBatcher(c.b).WriteMany(c.t.Context(), writes, done)
	return done
}
