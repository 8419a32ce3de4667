package tiercache_test

import (
	"context"
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

// forEachPolicy runs a test under every policy, in a bubble: it fails when a
// goroutine is left behind.
func forEachPolicy(t *testing.T, test func(t *testing.T, p writepolicy.Policy)) {
	t.Helper()
	for name, p := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, p) })
		})
	}
}

// A is held in the middle of its write of L2, or of L1. B comes. Whatever the
// policy, B touches no tier before A is done with both, and the tiers end equal.
func TestTwoWritersOfOneKey(t *testing.T) {
	t.Parallel()
	for _, held := range []string{"l1", "l2"} {
		t.Run("A is held in "+held, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := newFixture(t, tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(time.Hour))
				around := writepolicy.NameOf(p) == "write_around"
				gate, call, tier := backendtest.NewGate(), backendtest.Set, f.L2
				if held == "l1" {
					tier = f.L1
					if around {
						call = backendtest.Delete
					}
				}
				tier.Next(call, gate.Before())

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
func TestDetachedLoserKeepsTheTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithWritePolicy(writepolicy.Race()))
		gate := backendtest.NewGate()
		f.L2.Next(backendtest.Set, gate.Before())
		require.NoError(t, f.Set(t.Context(), "k", "A", 0))
		assertHolds(t, f, "A", "")

		deleted := make(chan error, 1)
		go func() { deleted <- f.Delete(t.Context(), "k") }()
		synctest.Wait()
		assert.Zero(t, f.L1.Calls(backendtest.Delete))
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
		f.L2.Next(backendtest.Set, backendtest.Delay(2*time.Second))
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
		f.L2.Next(backendtest.Set, backendtest.Hang())
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

// The caller's context ends after the first tier was written. The other one is
// written all the same, and the spans are in the caller's trace.
func TestCancelBetweenTiers(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p))...)
		ctx, span := c.caller(t.Context())
		ctx, cancel := context.WithCancel(ctx)
		cancelAfter := func(ctx context.Context, apply func(context.Context) error) error {
			err := apply(ctx)
			cancel()
			return err
		}
		first, call := f.L1, backendtest.Set
		switch writepolicy.NameOf(p) {
		case "sequential_l2_first", "write_around":
			first = f.L2
		case "race": // nothing is between the tiers; both begin at once
			f.L2.Next(call, backendtest.Delay(time.Second))
		}
		first.Next(call, cancelAfter)
		err := f.Set(ctx, "k", "v", 0)
		require.NoError(t, f.Close(t.Context()))
		span.End()
		require.Error(t, ctx.Err())
		require.NoError(t, err)
		if writepolicy.NameOf(p) == "write_around" {
			assertHolds(t, f, "", "v")
		} else {
			assertHolds(t, f, "v", "v")
		}
		for _, s := range c.Spans() {
			assert.Equal(t, span.SpanContext().TraceID(), s.SpanContext().TraceID(), s.Name())
		}
		assert.Len(t, c.Spans(), 4)
	})
}

// A context that has ended before the first tier is touched calls a write off.
func TestCancelBeforeAnyTier(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p))...)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errRefused)
		err := f.Set(ctx, "k", "v", 0)
		require.ErrorIs(t, err, errRefused)
		require.ErrorContains(t, err, "neither tier was changed")
		e := asError(t, err)
		assert.Equal(t, [2]tier.Outcome{}, [2]tier.Outcome{e.L1.Outcome, e.L2.Outcome})
		assert.Zero(t, writeCalls(f.L1)+writeCalls(f.L2))
		assert.Empty(t, c.Inconsistencies())
		require.NoError(t, f.Close(t.Context()))
		assert.Len(t, c.Spans(), 1)
	})
}

// A writer that waits for its turn can leave, and those behind it are served.
func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		f := newFixture(t, c.options()...)
		gate := backendtest.NewGate()
		f.L2.Next(backendtest.Set, gate.Before())
		results := make(chan error, 2)
		go func() { results <- f.Set(t.Context(), "k", "A", 0) }()
		<-gate.Arrived()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		waiting := make(chan error)
		go func() { waiting <- f.Set(ctx, "k", "B", 0) }()
		synctest.Wait()
		go func() { results <- f.Set(t.Context(), "k", "C", 0) }()
		err := <-waiting
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "waiting for the key's lock")
		require.ErrorContains(t, err, "neither tier was changed")
		assert.Equal(t, "timeout", asError(t, err).ErrorType())

		gate.Open()
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		assertHolds(t, f, "C", "C")
		assert.Empty(t, c.Inconsistencies())
		require.NoError(t, f.Close(t.Context()))
	})
}

// A tier that hangs ends its write at the timeout, as unknown, with an event:
// that long after its beginning, whatever the caller's own deadline was.
func TestHang(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(3*time.Second))...)
		f.L2.Next(backendtest.Set, backendtest.Hang())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_ = f.Set(ctx, "k", "v", 0)
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, 3*time.Second, time.Since(begin))
		require.Len(t, c.Inconsistencies(), 1)
		assert.Equal(t, tier.Unknown, c.Inconsistencies()[0].L2.Outcome)
	})
}

// A race that cancels its loser answers at once and is over at once; what became
// of the loser is reported.
func TestRaceCancelsLoser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.Race(writepolicy.CancelLoser())))...)
		f.L1.Next(backendtest.Set, backendtest.Delay(time.Second))
		f.L2.Next(backendtest.Set, backendtest.Hang())
		begin := time.Now()
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, time.Second, time.Since(begin))
		assertHolds(t, f, "v", "")
		require.Len(t, c.Inconsistencies(), 1)
		assert.Equal(t, tier.Unknown, c.Inconsistencies()[0].L2.Outcome)
		assert.Contains(t, c.Tree(), "error.type=canceled")
	})
}
