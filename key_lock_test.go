package tiercache_test

import (
	"fmt"
	"strings"
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

// A is held in the middle of its write of L2, or of L1. B comes. Whatever the
// policy, B touches no tier before A is done with both, and the tiers end equal.
func TestWritersOfOneKeyDoNotOverlap(t *testing.T) {
	t.Parallel()
	for _, held := range []string{"l1", "l2"} {
		t.Run("A is held in "+held, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := newFixture(t, tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(time.Hour))
				around := writepolicy.NameOf(p) == "write_around"
				gate, call, faults := backendtest.NewGate(), tier.Set, f.L2
				if held == "l1" {
					faults = f.L1
					if around {
						call = tier.Delete
					}
				}
				faults.Next(call, gate.Before())

				doneA := make(chan error, 1)
				go func() { doneA <- f.Set(t.Context(), "k", "A", 0) }()
				<-gate.Arrived()
				synctest.Wait()
				before1, before2 := writeCalls(f.L1), writeCalls(f.L2)

				doneB := make(chan error, 1)
				go func() { doneB <- f.Set(t.Context(), "k", "B", 0) }()
				synctest.Wait()
				assert.Equal(t, [2]int{before1, before2}, [2]int{writeCalls(f.L1), writeCalls(f.L2)},
					"B may not touch a tier before A has left both")

				gate.Open()
				errA, errB := <-doneA, <-doneB
				require.NoError(t, f.Close(t.Context()))
				require.NoError(t, errA)
				require.NoError(t, errB)
				if around {
					assertHolds(t, f, "", "B")
				} else {
					assertHolds(t, f, "B", "B")
				}
			})
		})
	}
}

// The loser of a race goes on after the answer. The next writer waits for it.
func TestDetachedLoserKeepsTheLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithWritePolicy(writepolicy.Race()))
		gate := backendtest.NewGate()
		f.L2.Next(tier.Set, gate.Before())
		require.NoError(t, f.Set(t.Context(), "k", "A", 0))
		assertHolds(t, f, "A", "")

		deleted := make(chan error, 1)
		go func() { deleted <- f.Delete(t.Context(), "k") }()
		synctest.Wait()
		assert.Zero(t, f.L1.Calls(tier.Delete))
		gate.Open()
		require.NoError(t, <-deleted)
		assertHolds(t, f, "", "")
		require.NoError(t, f.Close(t.Context()))
	})
}

// How long a write had to wait for the one before it is on its span.
func TestLockWaitIsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		f := newFixture(t, c.options()...)
		f.L2.Next(tier.Set, backendtest.Delay(2*time.Second))
		go func() { assert.NoError(t, f.Set(t.Context(), "k", "A", 0)) }()
		synctest.Wait()
		require.NoError(t, f.Set(t.Context(), "k", "B", 0))
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, 1, strings.Count(c.Tree(), "tiercache.lock.wait_duration="))
		assert.Contains(t, c.Tree(), "tiercache.lock.wait_duration=2")
	})
}

// L2 hangs for one key. Writers of a thousand others are not delayed at all.
func TestOtherKeysDoNotWait(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		f := newFixture(t, tiercache.WithWritePolicy(p))
		f.L2.Next(tier.Set, backendtest.Hang())
		go func() { _ = f.Set(t.Context(), "hung", "v", 0) }()
		synctest.Wait()
		begin := time.Now()
		for i := range 1000 {
			require.NoError(t, f.Set(t.Context(), fmt.Sprint("key ", i), "v", 0))
		}
		assert.Zero(t, time.Since(begin))
		require.NoError(t, f.Close(t.Context()))
	})
}
