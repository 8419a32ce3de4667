package backendtest

import (
	"fmt"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// states are those in which a key may be. Each function brings it there; what expires
// does so later.
func states[V any](c check[V], ttl time.Duration) map[string]func(key string) backends.Version {
	return map[string]func(key string) backends.Version{
		"absent": func(string) backends.Version { return 0 },
		"live":   func(key string) backends.Version { return c.made(c.setOf(key, 2)) },
		"expired": func(key string) backends.Version {
			w := c.setOf(key, 2)
			w.Entry.ExpiresAt = time.Now().Add(ttl)
			return c.made(w)
		},
		"deleted": func(key string) backends.Version { return c.made(deleteOf[V](key)) },
	}
}

// conditions are those of a key that had version older before its version now, and the
// states of the key in which each holds. Set and remove tell the kinds apart where it matters.
var conditions = []struct {
	name  string
	of    func(older, now backends.Version) backends.Condition
	holds map[string]bool
}{
	{
		"always", func(_, _ backends.Version) backends.Condition { return backends.Always },
		map[string]bool{"absent": true, "live": true, "expired": true, "deleted": true},
	},
	{
		"absent", func(_, _ backends.Version) backends.Condition { return backends.Absent() },
		map[string]bool{"absent": true, "expired": true, "deleted": true},
	},
	{
		"is its version", func(_, now backends.Version) backends.Condition { return backends.Is(now) },
		map[string]bool{"live": true},
	},
	{
		"is an older one", func(older, _ backends.Version) backends.Condition { return backends.Is(older) },
		nil,
	},
	{
		"not newer than its version", func(_, now backends.Version) backends.Condition { return backends.NotNewer(now) },
		map[string]bool{"live": true, "expired": true, "deleted": true, "absent, delete": true},
	},
	{
		"not newer than a newer one", func(_, now backends.Version) backends.Condition { return backends.NotNewer(now + 1000) },
		map[string]bool{"live": true, "expired": true, "deleted": true, "absent, delete": true},
	},
	{
		"not newer than an older one", func(older, _ backends.Version) backends.Condition { return backends.NotNewer(older) },
		map[string]bool{"absent, delete": true},
	},
	{
		"not newer than one of another era", func(_, now backends.Version) backends.Condition {
			return backends.NotNewer(backends.MakeVersion(now.Era()+1, now.Seq()))
		},
		map[string]bool{"absent, delete": true},
	},
	{
		"absent at its version", func(_, now backends.Version) backends.Condition { return backends.AbsentAt(now) },
		map[string]bool{"expired": true, "deleted": true},
	},
	{
		"absent at an older one", func(older, _ backends.Version) backends.Condition { return backends.AbsentAt(older) },
		nil,
	},
	{
		"absent at a newer one", func(_, now backends.Version) backends.Condition { return backends.AbsentAt(now + 1000) },
		nil,
	},
	{
		"absent at none", func(_, _ backends.Version) backends.Condition { return backends.AbsentAt(0) },
		map[string]bool{"absent": true},
	},
}

// testConditions decides each condition for a key in each state.
func testConditions[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	const ttl = 700 * time.Millisecond
	type prepared struct {
		state string
		w     backends.Write[V]
		want  bool
	}
	var all []prepared
	other := c.made(c.setOf("other", 1)) // for keys that have no version
	for i, condition := range conditions {
		for state, bring := range states(c, ttl) {
			for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
				w := c.setOf(fmt.Sprintf("%s-%d-%d", state, i, kind), 3)
				w.Kind = kind
				older, now := other, other
				if state != "absent" {
					older = c.made(c.setOf(w.Key, 1))
					now = bring(w.Key)
				}
				w.If = condition.of(older, now)
				all = append(all, prepared{state, w, condition.holds[state] || condition.holds[state+", "+kind.String()]})
			}
		}
	}
	c.advance(ttl + c.Precision + time.Millisecond)
	for _, p := range all {
		if !p.want {
			c.refused(p.w, backends.RefusedCondition)
			continue
		}
		c.made(p.w)
		if p.w.Kind == tier.Delete {
			c.miss(p.w.Key)
		} else {
			c.hit(p.w.Key, 3, never)
		}
	}
}

// testSources finds source versions that do not decide.
func testSources[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	const ttl = 700 * time.Millisecond
	of := func(w backends.Write[V], source uint64) backends.Write[V] {
		w.Source = source
		return w
	}
	has := func(source uint64) {
		c.t.Helper()
		if _, answer := c.look("k"); answer.Source != source {
			c.t.Fatalf("GetIf: source %d, want %d", answer.Source, source)
		}
	}
	set, remove := c.setOf("k", 1), deleteOf[V]("k")
	c.made(of(set, 5))
	has(5)
	c.refused(of(set, 4), backends.RefusedSource)
	c.refused(of(remove, 4), backends.RefusedSource)
	c.made(of(set, 5)) // an equal one is accepted
	both := of(set, 4)
	both.If = backends.Absent()
	c.refused(both, backends.RefusedCondition) // which comes before the source
	c.made(set)
	has(0)
	c.made(of(set, 1))

	c.made(of(set, 7))
	c.made(remove)
	has(7) // a deletion without one keeps it
	c.refused(of(set, 6), backends.RefusedSource)
	c.refused(of(remove, 6), backends.RefusedSource)
	c.made(of(remove, 9))
	has(9)
	c.refused(of(set, 8), backends.RefusedSource)
	c.made(of(set, 9))

	mortal := of(set, 20)
	mortal.Entry.ExpiresAt = time.Now().Add(ttl)
	c.made(mortal)
	c.advance(ttl + c.Precision + time.Millisecond)
	c.refused(of(set, 19), backends.RefusedSource)
	for _, big := range []uint64{1<<53 + 1, 1<<63 + 1, math.MaxUint64} { // where numbers lose digits or change sign
		c.made(of(set, big))
		c.refused(of(set, big-1), backends.RefusedSource)
		has(big)
	}
}

// testDeletions finds deletions that the store forgets before their time.
func testDeletions[V any](c check[V]) {
	if c.versioned() == nil {
		return
	}
	c.timely(func(int) (problem string, until time.Time) {
		until = time.Now().Add(backends.DefaultKeep)
		c.remove("default")
		_, answer := c.look("default")
		c.timely(c.keeps)
		return c.forgot("default", answer.Version), until
	})
}

// keeps describes a deletion or an expiry that the store forgets too early. Until is the instant
// from which on it may.
func (c check[V]) keeps(trial int) (problem string, until time.Time) {
	const wait = 1500 * time.Millisecond
	keep := min(wait+500*time.Millisecond*time.Duration(trial), 2*wait)
	until = time.Now().Add(keep)
	old := c.made(c.setOf("deleted", 1))
	w := deleteOf[V]("deleted")
	w.Keep = keep
	deleted := c.made(w)
	w = c.setOf("expired", 1)
	w.Keep, w.Entry.ExpiresAt = keep, time.Now().Add(time.Millisecond)
	expired := c.made(w)
	c.advance(wait + time.Millisecond)
	if problem := c.forgot("deleted", deleted); problem != "" {
		return problem, until
	}
	if c.Precision == 0 { // else it may not have expired
		if problem := c.forgot("expired", expired); problem != "" {
			return problem, until
		}
	}
	w = c.setOf("deleted", 2)
	w.If = backends.NotNewer(old)
	return c.notRefused(w, backends.RefusedCondition), until
}

// forgot describes an answer that is not a miss with the version, and returns "" if it is.
func (c check[V]) forgot(key string, version backends.Version) (problem string) {
	c.t.Helper()
	if entry, answer := c.look(key); answer.Found != backends.Miss || answer.Version != version {
		return fmt.Sprintf("GetIf of a key that was %s: %s with %+v, want a miss with version %d", key, showEntry(entry), answer, version)
	}
	return ""
}
