package linearizability

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A reader finds nothing in L1, and is slow to ask L2. Meanwhile the key is
// written, so that L1 has a value, and then written again, by a writer that has
// reached L2 and not yet L1. The slow reader may not answer with the newer value,
// because whoever comes after it finds the older one in L1.
func TestReadOvertakenByWrite(t *testing.T) {
	t.Parallel()
	reads := map[string]func(s *scenario){
		"Get":       func(s *scenario) { _, _ = s.get(s.t.Context(), 3, key) },
		"GetOrLoad": func(s *scenario) { _, _ = s.loading(s.t.Context(), 3, key, s.value(loadPrefix), nil) },
	}
	set := func(s *scenario) { _ = s.set(s.t.Context(), 4, key, "newer") }
	remove := func(s *scenario) { _ = s.delete(s.t.Context(), 4, key) }
	l2First, parallel, around := writepolicy.Sequential(writepolicy.L2First), writepolicy.Parallel(), writepolicy.WriteAround()
	for name, row := range map[string]struct {
		policy writepolicy.Policy
		write  func(s *scenario)
		held   tier.Kind // in L1
	}{
		"Sequential(L2First), Set":    {l2First, set, tier.Set},
		"Sequential(L2First), Delete": {l2First, remove, tier.Delete},
		"Parallel, Set":               {parallel, set, tier.Set},
		"Parallel, Delete":            {parallel, remove, tier.Delete},
		"WriteAround, Set":            {around, set, tier.Delete},
		"WriteAround, Delete":         {around, remove, tier.Delete},
	} {
		for read, slow := range reads {
			t.Run(read+", "+name, func(t *testing.T) {
				t.Parallel()
				o := runScenario(t, func(s *scenario) {
					s.restarted()
					reader := s.start(before(s.L2, tier.Get), func() { slow(s) })
					s.put("older")
					s.sees("older") // WriteAround fills L1 by reads only
					writer := s.start(before(s.L1, row.held), func() { row.write(s) })
					reader()
					s.sees("older")
					writer()
				}, tiercache.WithWritePolicy(row.policy))
				assertLinearizable(t, o)
			})
		}
	}
}

// The same without a write that fills L1: L2 has a value, as after a restart or
// an eviction, and another reader refills L1 in the meantime.
func TestReadOvertakenByRefillAndWrite(t *testing.T) {
	t.Parallel()
	o := runScenario(t, func(s *scenario) {
		s.restarted()
		reader := s.start(before(s.L2, tier.Get), func() { _, _ = s.get(s.t.Context(), 3, key) })
		s.seesInL2("old")
		writer := s.start(before(s.L1, tier.Set), func() { s.put("newer") })
		reader()
		s.sees("old")
		writer()
	}, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
	assertLinearizable(t, o)
}

// The same where the caller gives up just when L1 is asked once more, and L1 obeys
// the caller's context. That it does not answer does not mean that it has nothing.
func TestReadOvertakenByWrite_CallerGivesUp(t *testing.T) {
	t.Parallel()
	o := runScenario(t, func(s *scenario) {
		s.restarted()
		ctx, cancel := context.WithCancel(s.t.Context())
		defer cancel()
		reader := s.start(before(s.L2, tier.Get), func() { _, _ = s.get(ctx, 3, key) })
		s.seesInL2("old")
		writer := s.start(before(s.L1, tier.Set), func() { s.put("newer") })
		l1 := before(s.L1, tier.Get)
		// The reader goes on to L1, where it is held until its caller gives up.
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			reader()
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		l1.Open()
		<-finished
		s.sees("old")
		writer()
	}, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
	assertLinearizable(t, o)
}

// The only caller of a GetOrLoad gives up while L2 is being read, which ends that
// read with an error. Whether there is a value was not found out, so nothing may
// be loaded and written over it.
func TestAbandonedReadLoadsNothing(t *testing.T) {
	t.Parallel()
	o := runScenario(t, func(s *scenario) {
		s.restarted()
		gate := before(s.L2, tier.Get)
		ctx, cancel := context.WithCancel(s.t.Context())
		loaded := false
		finish := s.start(gate, func() {
			_, err := s.loading(ctx, 3, key, s.value(loadPrefix), func() { loaded = true })
			require.ErrorIs(s.t, err, context.Canceled)
		})
		cancel()
		synctest.Wait() // the read has ended; the gate was never opened
		finish()
		assert.False(s.t, loaded, "the loader was called")
		_, _ = s.get(s.t.Context(), 2, key)
	})
	assertLinearizable(t, o)
}

// L2 has applied a write that failed. Later readers get that value, and not first the
// one of L1, and the other one when L1 has dropped its copy.
func TestFailedWriteIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	for _, row := range claims() {
		if !row.prompt {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := runScenario(t, func(s *scenario) {
				s.prompt = true
				s.restarted()
				s.sees("old") // and now it is in L1
				s.L2.Next(tier.Set, backendtest.ApplyThenFail(errFault))
				s.newFails()
				_, _ = s.get(s.t.Context(), 2, key)
				s.evict()
				_, _ = s.get(s.t.Context(), 2, key)
			}, tiercache.WithWritePolicy(row.policy()))
			assertLinearizable(t, o)
		})
	}
}

// Two loads of one key are under way, because the caller of the first one has given up.
// The first loaded value is written, and not replaced by the other.
func TestLoadsDoNotReplaceEachOther(t *testing.T) {
	t.Parallel()
	for _, abandonedFirst := range []bool{false, true} {
		t.Run(fmt.Sprint("the abandoned one is first: ", abandonedFirst), func(t *testing.T) {
			t.Parallel()
			o := runScenario(t, func(s *scenario) {
				release1, release2 := make(chan struct{}), make(chan struct{})
				ctx, cancel := context.WithCancel(s.t.Context())
				var calls sync.WaitGroup
				calls.Go(func() { _, _ = s.loading(ctx, 3, key, s.value(loadPrefix), func() { <-release1 }) })
				synctest.Wait()
				cancel()
				synctest.Wait()
				calls.Go(func() {
					_, _ = s.loading(s.t.Context(), 4, key, s.value(loadPrefix), func() { <-release2 })
				})
				synctest.Wait()
				if !abandonedFirst {
					release1, release2 = release2, release1
				}
				close(release1)
				synctest.Wait()
				_, _ = s.get(s.t.Context(), 2, key)
				close(release2)
				synctest.Wait()
				calls.Wait()
				_, _ = s.get(s.t.Context(), 2, key)
			})
			assertLinearizable(t, o)
		})
	}
}

// L2 cannot be read, so a value is loaded although there is one. It breaks the
// fence of a reader that has got the older one before.
func TestLoadBreaksFences(t *testing.T) {
	t.Parallel()
	o := runScenario(t, func(s *scenario) {
		s.readsFail = true
		s.restarted()
		reader := s.start(s.foundInL2(), func() { _, _ = s.get(s.t.Context(), 3, key) })
		s.L2.Next(tier.Get, backendtest.Lose(errFault))
		value, err := s.loading(s.t.Context(), 4, key, s.value(loadPrefix), nil)
		require.NoError(s.t, err)
		s.sees(value)
		s.evict()
		reader()
		s.sees(value)
	})
	assertLinearizable(t, o)
	assert.Empty(t, o.silent)
}

// That a loader found nothing is not remembered beyond a write, be it that the
// write comes later or in the meantime.
func TestNothingIsForgottenByWrites(t *testing.T) {
	t.Parallel()
	for _, meanwhile := range []bool{false, true} {
		t.Run(fmt.Sprint("the write comes in the meantime: ", meanwhile), func(t *testing.T) {
			t.Parallel()
			o := runScenario(t, func(s *scenario) {
				held := make(chan struct{})
				var calls sync.WaitGroup
				calls.Go(func() { _, _ = s.loading(s.t.Context(), 3, key, nothing, func() { <-held }) })
				synctest.Wait()
				if !meanwhile {
					close(held)
					calls.Wait()
				}
				s.put("new")
				if meanwhile {
					close(held)
					calls.Wait()
				}
				s.evict()
				_, _ = s.loading(s.t.Context(), 4, key, nothing, nil)
			}, tiercache.WithNegativeTTL(time.Hour))
			assertLinearizable(t, o)
		})
	}
}
