package failsafebackend_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/common"
	"github.com/failsafe-go/failsafe-go/fallback"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

func TestBulkhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		var running, most atomic.Int32
		faults.Always(tier.Set, func(ctx context.Context, apply func(context.Context) error) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			return backendtest.Delay(time.Second)(ctx, apply)
		})
		b := decorate(t, faults, failsafebackend.WithBulkhead(2, 1500*time.Millisecond))
		var users sync.WaitGroup
		var done, full atomic.Int32
		for range 10 {
			users.Go(func() {
				switch err := b.Set(t.Context(), "k", entry("v")); {
				case err == nil:
					done.Add(1)
				case assert.ErrorContains(t, err, "bulkhead full"):
					full.Add(1)
				}
			})
		}
		users.Wait()
		assert.Equal(t, int32(2), most.Load())
		assert.Equal(t, int32(4), done.Load())
		assert.Equal(t, int32(6), full.Load())
	})
}

// A full bulkhead says nothing of the backend, and a retry waits outside of it.
func TestBulkhead_AndTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		gate := backendtest.NewGate()
		b := decorate(t, faults,
			failsafebackend.WithBulkhead(1, 0),
			failsafebackend.WithCircuitBreaker(1, time.Hour),
			failsafebackend.WithRetry(1, time.Minute, time.Minute))
		faults.Next(tier.Set, gate.Before())
		go func() { _ = b.Set(t.Context(), "k", entry("v")) }()
		<-gate.Arrived()
		for range 3 {
			require.ErrorContains(t, b.Set(t.Context(), "k", entry("v")), "bulkhead full")
		}
		gate.Open()
		synctest.Wait()
		require.NoError(t, b.Set(t.Context(), "k", entry("v")))
	})
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithBulkhead(1, 0), failsafebackend.WithRetry(1, time.Minute, time.Minute))
		faults.Next(tier.Set, backendtest.FailBefore(errFull))
		go func() { _ = b.Set(t.Context(), "k", entry("v")) }()
		synctest.Wait() // until it waits for its retry
		require.NoError(t, b.Set(t.Context(), "other", entry("v")))
		time.Sleep(2 * time.Minute)
		assert.Equal(t, 3, faults.Calls(tier.Set))
	})
}

// A panic must not cost a permit.
func TestPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		cb := circuitbreaker.NewBuilder[any]().WithDelay(time.Minute).Build()
		b := decorate(t, faults, failsafebackend.WithBulkhead(1, 0), failsafebackend.WithCircuitBreakerPolicy(cb))
		for range 3 {
			cb.HalfOpen()
			for name, w := range writes {
				faults.Next(w.call, backendtest.ApplyThenPanic("boom"))
				err := w.write(t.Context(), b)
				var p *backends.PanicError
				require.ErrorAs(t, err, &p, name)
				assert.Equal(t, "boom", p.Value)
				assert.Contains(t, string(p.Stack), "ApplyThenPanic")
				assert.False(t, backends.CertainlyNotApplied(err))
				require.True(t, cb.IsOpen())
				cb.HalfOpen()
			}
			faults.Next(tier.Get, backendtest.Panic("boom"))
			_, ok, err := b.Get(t.Context(), "k")
			assert.False(t, ok)
			require.EqualError(t, err, "panic (string)")
		}
	})
}

func TestRateLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults,
			failsafebackend.WithPolicies(ratelimiter.NewBursty[any](1, time.Hour), nil),
			failsafebackend.WithRetry(3, time.Millisecond, time.Millisecond))
		require.NoError(t, b.Set(t.Context(), "k", entry("v")))
		err := b.Set(t.Context(), "k", entry("v"))
		var refused *failsafebackend.RefusedError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "rate_limited", refused.ErrorType())
		assert.True(t, backends.CertainlyNotApplied(err))
		assert.Equal(t, 1, faults.Calls(tier.Set))
	})
}

// A policy that makes attempts at once leaves none behind when the call returns.
func TestHedge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		hedge := hedgepolicy.NewWithDelay[any](time.Second)
		var running atomic.Int32
		stubborn := func(ctx context.Context, apply func(context.Context) error) error {
			running.Add(1)
			defer running.Add(-1)
			time.Sleep(time.Minute) // it ignores its context
			return apply(ctx)
		}
		faults.Next(tier.Set, stubborn, nil)
		b := decorate(t, faults, failsafebackend.WithPolicies(hedge))
		begin := time.Now()
		require.NoError(t, b.Set(t.Context(), "k", entry("v")))
		assert.Zero(t, running.Load())
		assert.Equal(t, time.Minute, time.Since(begin))
		assert.Equal(t, 2, faults.Calls(tier.Set))
	})
}

// A policy that makes an attempt when the call has returned gets nowhere.
func TestLateAttempt(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			faults := newFaults()
			var late func() error
			b := decorate(t, faults, failsafebackend.WithPolicies(hoarder{&late}))
			err := w.write(t.Context(), b)
			assert.True(t, backends.CertainlyNotApplied(err))
			require.EqualError(t, late(), "failsafebackend: the operation has ended")
			assert.Zero(t, faults.Calls(w.call))
		})
	}
}

// hoarder keeps the attempt for later.
type hoarder struct{ late *func() error }

func (h hoarder) ToExecutor(any) any { return h }

func (h hoarder) Apply(next func(exec failsafe.Execution[any]) *common.PolicyResult[any]) func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
	return func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
		*h.late = func() error { return next(exec).Error }
		return &common.PolicyResult[any]{Error: errFull, Done: true}
	}
}

// A policy that answers for the backend must not turn a failure into a success.
func TestFallback(t *testing.T) {
	t.Parallel()
	faults := newFaults()
	b := decorate(t, faults, failsafebackend.WithPolicies(fallback.NewWithResult[any](nil)))
	faults.Next(tier.Set, backendtest.ApplyThenFail(errLost))
	err := b.Set(t.Context(), "k", entry("v"))
	require.ErrorIs(t, err, failsafebackend.ErrNotAsked)
	require.ErrorIs(t, err, errLost)
	assert.False(t, backends.CertainlyNotApplied(err))

	b = decorate(t, faults, failsafebackend.WithPolicies(noAttempt{}))
	err = b.Set(t.Context(), "k", entry("v"))
	require.EqualError(t, err, "failsafebackend: set refused without an attempt: a policy answered in place of the backend")
	assert.True(t, backends.CertainlyNotApplied(err))
	var refused *failsafebackend.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "refused", refused.ErrorType())
}

// noAttempt answers without asking, as a cache does.
type noAttempt struct{}

func (noAttempt) ToExecutor(any) any { return noAttempt{} }

func (noAttempt) Apply(func(exec failsafe.Execution[any]) *common.PolicyResult[any]) func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
	return func(failsafe.Execution[any]) *common.PolicyResult[any] {
		return &common.PolicyResult[any]{Done: true, Success: true, SuccessAll: true}
	}
}
