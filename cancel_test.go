package tiercache_test

import (
	"context"
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
		first, call := f.L1, tier.Set
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
		f.L2.Next(tier.Set, gate.Before())
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

// A race that cancels its loser returns at once and is over at once; the outcome of the
// loser is reported.
func TestRaceCancelsLoser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.Race(writepolicy.CancelLoser())))...)
		f.L1.Next(tier.Set, backendtest.Delay(time.Second))
		f.L2.Next(tier.Set, backendtest.Hang())
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
