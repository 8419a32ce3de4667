package backendtest

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// testVersions finds versions that do not rise, and those that are used again when the
// store has forgotten the key.
func testVersions[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	const keep = 300 * time.Millisecond
	var last backends.Version
	rises := func(version backends.Version, after string) {
		c.t.Helper()
		if version <= last {
			c.t.Fatalf("version after %s: %d, want more than that before it, %d", after, version, last)
		}
		last = version
	}
	now := func() backends.Version {
		_, answer := c.look("k")
		return answer.Version
	}
	for range 2 {
		rises(c.made(c.setOf("k", 1)), "Write of a Set")
		c.set("k", 2, never)
		rises(now(), "Set")
		c.remove("k")
		rises(now(), "Delete")
		rises(c.made(deleteOf[V]("k")), "Write of a Delete")
		w := c.setOf("k", 3)
		w.Entry.ExpiresAt, w.Keep = time.Now().Add(keep), keep
		rises(c.made(w), "Write of an entry that expires")
		c.advance(2*keep + c.Precision + time.Millisecond)
		c.miss("k")
		w = deleteOf[V]("k")
		w.Keep = keep
		rises(c.made(w), "a Delete long after the entry expired")
		c.advance(keep + c.Precision + time.Millisecond)
	}
}

// testAnswers finds metadata that is lost or stays, and a value that is moved although
// its version is known.
func testAnswers[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	w := c.setOf("k", 1)
	w.Entry.ExpiresAt = time.Now().Add(time.Hour)
	w.Operation, w.Note, w.Codec = 1<<63+7, []byte("a note\x00\xff"), 201
	first := c.made(w)
	entry, answer := c.look("k")
	switch {
	case answer.Found != backends.Hit || !c.Equal(entry.Value, c.Value(1)) || !sameExpiry(entry.ExpiresAt, w.Entry.ExpiresAt, 0):
		c.t.Fatalf("GetIf: %s (%d), want a hit, %s", showEntry(entry), answer.Found, showEntry(w.Entry))
	case answer.Operation != w.Operation || !bytes.Equal(answer.Note, w.Note) || answer.Codec != w.Codec:
		c.t.Fatalf("GetIf: operation %d, note %q and codec %d, want %d, %q and %d",
			answer.Operation, answer.Note, answer.Codec, w.Operation, w.Note, w.Codec)
	}
	c.hit("k", 1, w.Entry.ExpiresAt)
	c.unchanged("k", first, true)
	second := c.made(c.setOf("k", 2))
	c.unchanged("k", first, false)
	c.unchanged("k", second, true)
	if _, answer := c.look("k"); answer.Operation != 0 || len(answer.Note) > 0 || answer.Codec != 0 {
		c.t.Fatalf("GetIf after a Write without an operation: %+v", answer)
	}
	w = deleteOf[V]("k")
	w.Operation = 9
	third := c.made(w)
	if _, answer := c.look("k"); answer.Found != backends.Miss || answer.Operation != 9 {
		c.t.Fatalf("GetIf after a Delete of operation 9: %+v, want a miss with it", answer)
	}
	if _, answer, err := c.versioned().GetIf(c.t.Context(), "k", third); err != nil || answer.Found != backends.Miss {
		c.t.Fatalf("GetIf of a deleted key with the deletion's version: %+v, %v, want a miss", answer, err)
	}
	w = c.setOf("k", 3)
	w.Entry.ExpiresAt = time.Now().Add(-time.Minute)
	c.made(w)
	c.miss("k")
	if _, answer := c.look("absent"); answer.Found != backends.Miss || answer.Version != 0 || answer.Source != 0 || answer.Operation != 0 {
		c.t.Fatalf("GetIf of an absent key: %+v, want a miss", answer)
	}
}

// unchanged asks for the entry at key unless it has a version, and expects it to have it
// or not.
func (c check[V]) unchanged(key string, have backends.Version, want bool) {
	c.t.Helper()
	entry, answer, err := c.versioned().GetIf(c.t.Context(), key, have)
	var zero V
	switch found := map[bool]backends.Found{true: backends.Unchanged, false: backends.Hit}[want]; {
	case err != nil:
		c.t.Fatalf("GetIf: %v", err)
	case answer.Found != found:
		c.t.Fatalf("GetIf of an entry at version %d unless it is %d: %d, want %d", answer.Version, have, answer.Found, found)
	case want && answer.Version != have:
		c.t.Fatalf("GetIf: unchanged at version %d, want %d", answer.Version, have)
	case want && (!c.Equal(entry.Value, zero) || !entry.ExpiresAt.IsZero()):
		c.t.Fatalf("GetIf: %s, though it is unchanged", showEntry(entry))
	}
}

// testInvalid finds invalid writes that are made, or whose error does not say that they
// are not.
func testInvalid[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	c.made(c.setOf("k", 1))
	for name, change := range map[string]func(w *backends.Write[V]){
		"an empty key":                     func(w *backends.Write[V]) { w.Key = "" },
		"no kind":                          func(w *backends.Write[V]) { w.Kind = 0 },
		"another kind":                     func(w *backends.Write[V]) { w.Kind = tier.Load },
		"a condition without its version":  func(w *backends.Write[V]) { w.If = backends.Is(0) },
		"an unknown condition":             func(w *backends.Write[V]) { w.If.Test = 200 },
		"a negative time to keep versions": func(w *backends.Write[V]) { w.Keep = -1 },
		"too long a note":                  func(w *backends.Write[V]) { w.Note = []byte(strings.Repeat("n", backends.MaxNoteSize+1)) },
	} {
		w := c.setOf("k", 2)
		change(&w)
		if _, err := c.versioned().Write(c.t.Context(), &w); !backends.CertainlyNotApplied(err) {
			c.t.Errorf("Write with %s: %v, want an error that is certainly not applied", name, err)
		}
	}
	c.hit("k", 1, never)
}

// testRaces lets several goroutines make writes of which one may be applied.
func testRaces[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	const workers, rounds = 4, 15
	for round := range rounds {
		w := c.setOf("k", round)
		w.If = backends.Absent()
		if round%3 != 0 {
			_, answer := c.look("k")
			w.If = backends.Is(answer.Version)
		}
		var applied atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				result, err := c.versioned().Write(c.t.Context(), &w)
				switch {
				case err != nil:
					c.t.Errorf("Write: %v", err)
				case result.Applied():
					applied.Add(1)
				}
			})
		}
		wg.Wait()
		if n := applied.Load(); n != 1 {
			c.t.Fatalf("Write of %s by %d goroutines: %d were applied, want one", showWrite(w), workers, n)
		}
		if round%3 == 2 {
			c.remove("k")
		}
	}
}

// testDeadlines finds deadlines that the store ignores.
func testDeadlines[V any](c check[V]) {
	clock := backends.AsClocked(c.b)
	if clock == nil || c.versioned() == nil {
		return
	}
	c.made(c.setOf("k", 1))
	now, within, ok := clock.StoreTime()
	if !ok {
		c.t.Fatal("StoreTime: not known after an answer of the store")
	}
	w := c.setOf("k", 2)
	w.Before = now.Add(-within - time.Second)
	c.refused(w, backends.RefusedLate)
	w.If = backends.Absent()
	c.refused(w, backends.RefusedLate) // it is the first to be checked
	d := deleteOf[V]("k")
	d.Before = w.Before
	c.refused(d, backends.RefusedLate)
	w.If, w.Before = backends.Always, now.Add(within+time.Hour)
	c.made(w)
	const patience = 1700 * time.Millisecond
	var left time.Duration
	c.timely(func(int) (problem string, until time.Time) {
		asked := time.Now()
		now, within, _ := clock.StoreTime()
		w.Before, left = now.Add(within+patience), patience+2*within
		_, problem = c.apply(w)
		return problem, asked.Add(patience)
	})
	c.advance(left + time.Second)
	c.refused(w, backends.RefusedLate)
}
