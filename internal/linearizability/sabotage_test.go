//go:build tiercache_sabotage

package linearizability

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// These tests check the checker: it must find the violations that come about without
// locks or fences. They need the build tag tiercache_sabotage, and do not run in
// parallel with any others: a switch is for all caches.

// withoutFences takes the fences out of all caches until the test ends.
func withoutFences(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { keylock.Sabotage(false, false) })
	keylock.Sabotage(false, true)
}

// withoutLocks does the same with the locks of keys.
func withoutLocks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { keylock.Sabotage(false, false) })
	keylock.Sabotage(true, false)
}

// sabotaged is a setup without violations as long as locks and fences are there.
// Nothing is evicted, because that would hide in the end that the tiers differ.
func sabotaged() setup {
	return setup{policy: func() writepolicy.Policy { return writepolicy.Sequential(writepolicy.L2First) }}
}

// mostSabotaged is how many rounds the checker may need to find a violation. One
// round of seven has a history without an explanation. Tiers differ in silence in
// one of eight without locks, and in one of fifty without fences.
const mostSabotaged = 1000

func TestSabotage_NoFences(t *testing.T) {
	withoutFences(t)
	requireFound(t)
}

func TestSabotage_NoLocks(t *testing.T) {
	withoutLocks(t)
	requireFound(t)
}

// requireFound runs rounds until one has no explanation, and until tiers differ
// in silence.
func requireFound(t *testing.T) {
	t.Helper()
	violated, silent, rounds := 0, 0, 0
	sabotaged().rounds(t, newSeed(t), mostSabotaged, func(_ uint64, o outcome) bool {
		rounds++
		if !linearizable(o.history) {
			violated++
		}
		if len(o.silent) > 0 {
			silent++
		}
		return violated == 0 || silent == 0
	})
	t.Logf("after %d rounds: %d without an explanation, %d in which tiers differ in silence", rounds, violated, silent)
	assert.NotZero(t, violated, "the checker found every history linearizable")
	assert.NotZero(t, silent, "the tiers never differed in silence")
}

// A value is read from L2, then a newer one is written, and then the older one
// goes to L1, from which the newer one has just been evicted.
func staleRefill(s *scenario) {
	s.restarted()
	reader := s.start(s.foundInL2(), func() { _, _ = s.get(s.t.Context(), 3, key) })
	s.put("new")
	s.evict()
	reader()
	_, _ = s.get(s.t.Context(), 2, key)
}

// Nothing is found in L2, then a value is written, and then a loaded one goes to
// both tiers.
func staleLoad(s *scenario) {
	reader := s.start(s.foundInL2(), func() {
		_, _ = s.loading(s.t.Context(), 3, key, s.value(loadPrefix), nil)
	})
	s.put("new")
	s.evict()
	reader()
	_, _ = s.get(s.t.Context(), 2, key)
}

// One writer is held between the tiers, and another one passes it, unless it has
// to wait.
func crossedWrites(s *scenario) {
	first := s.start(before(s.L1, tier.Set), func() { s.put("A") })
	second := make(chan struct{})
	go func() {
		defer close(second)
		_ = s.set(s.t.Context(), 4, key, "B")
	}()
	synctest.Wait()
	first()
	<-second
	_, _ = s.get(s.t.Context(), 2, key)
	s.evict()
	_, _ = s.get(s.t.Context(), 2, key)
}

// With the protection in place, the same script makes a history that has an
// explanation.
func TestSabotage_Scripts(t *testing.T) {
	for name, row := range map[string]struct {
		script func(s *scenario)
		take   func(t *testing.T)
	}{
		"a stale refill": {staleRefill, withoutFences},
		"a stale load":   {staleLoad, withoutFences},
		"crossed writes": {crossedWrites, withoutLocks},
	} {
		t.Run(name, func(t *testing.T) {
			l2First := tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First))
			assertLinearizable(t, runScenario(t, row.script, l2First))
			row.take(t)
			o := runScenario(t, row.script, l2First)
			assert.False(t, linearizable(o.history), "the checker accepts:\n%s", describe(o.history))
		})
	}
}
