package failsafebackend_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

func requireOpen(t *testing.T, err error) {
	t.Helper()
	var refused *failsafebackend.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "circuit_breaker_open", refused.ErrorType())
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
	require.True(t, backends.CertainlyNotApplied(err))
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithCircuitBreaker(3, time.Minute))
		set := func() error { return b.Set(t.Context(), "k", entry("v")) }

		script(faults, tier.Set, "llalll")
		for _, want := range []error{errLost, errLost, nil, errLost, errLost, errLost} { // a success in between
			require.Equal(t, want, set())
		}
		requireOpen(t, set())
		time.Sleep(time.Minute - 1)
		requireOpen(t, set())
		assert.Equal(t, 6, faults.Calls(tier.Set))

		time.Sleep(1 * time.Nanosecond)
		script(faults, tier.Set, "l")
		require.Equal(t, errLost, set()) // one probe
		requireOpen(t, set())
		time.Sleep(time.Minute)
		require.NoError(t, set())
		script(faults, tier.Set, "ll")
		require.Equal(t, errLost, set())
		require.Equal(t, errLost, set())
		require.NoError(t, set(), "it is closed, not half-open")
	})
}

func TestBreaker_MissesAndDamagedValuesAreSuccesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithCircuitBreaker(2, time.Minute))
		damaged := &backends.DecodeError{Err: errFull}
		script(faults, tier.Get, "lal")
		faults.Next(tier.Get, backendtest.Lose(damaged))
		script(faults, tier.Get, "l")
		for _, want := range []error{errLost, nil, errLost, damaged, errLost} {
			_, ok, err := b.Get(t.Context(), "absent")
			assert.Equal(t, want, err)
			assert.False(t, ok)
		}
		_, _, err := b.Get(t.Context(), "absent")
		require.NoError(t, err)
	})
}

// cancelled makes a call that the caller cancels while it runs.
func cancelled(t *testing.T, b backends.Backend[string], faults *backendtest.Faults[string], fault backendtest.Fault) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	faults.Next(tier.Set, fault)
	time.AfterFunc(time.Millisecond, cancel)
	require.ErrorIs(t, b.Set(ctx, "k", entry("v")), context.Canceled)
}

func TestBreaker_CancellationIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]failsafebackend.Option{
		"simple":   failsafebackend.WithCircuitBreaker(1, time.Minute),
		"injected": failsafebackend.WithCircuitBreakerPolicy(circuitbreaker.NewWithDefaults[any]()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				b := decorate(t, faults, option)
				for range 3 {
					cancelled(t, b, faults, backendtest.Hang())
					cancelled(t, b, faults, backendtest.ApplyThenHang())
				}
				require.NoError(t, b.Set(t.Context(), "k", entry("v")))

				// A deadline that the backend did not keep is one.
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				faults.Next(tier.Set, backendtest.Hang())
				require.ErrorIs(t, b.Set(ctx, "k", entry("v")), context.DeadlineExceeded)
				requireOpen(t, b.Set(t.Context(), "k", entry("v")))
			})
		})
	}
}

// Nor is it a success: it neither closes a half-open breaker nor takes its permit
// for ever.
func TestBreaker_CancelledProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		cb := circuitbreaker.NewBuilder[any]().WithDelay(time.Minute).WithSuccessThreshold(2).Build()
		b := decorate(t, faults, failsafebackend.WithCircuitBreakerPolicy(cb))
		cb.Open()
		time.Sleep(time.Minute)
		for range 5 {
			cancelled(t, b, faults, backendtest.Hang())
			require.True(t, cb.IsHalfOpen())
		}
		// There are two permits, and both are there.
		gate := backendtest.NewGate()
		faults.Always(tier.Set, gate.Before())
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- b.Set(t.Context(), "k", entry("v")) }()
		}
		synctest.Wait()
		requireOpen(t, b.Set(t.Context(), "k", entry("v")))
		gate.Open()
		faults.Clear()
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		require.True(t, cb.IsClosed())

		// Permits of a half-open time that is over are worth nothing.
		cb.HalfOpen()
		cancelled(t, b, faults, func(ctx context.Context, apply func(context.Context) error) error {
			cb.Close()
			return backendtest.Hang()(ctx, apply)
		})
		cb.HalfOpen()
		gate = backendtest.NewGate()
		faults.Always(tier.Set, gate.Before())
		for range 2 {
			go func() { results <- b.Set(t.Context(), "k", entry("v")) }()
		}
		synctest.Wait()
		requireOpen(t, b.Set(t.Context(), "k", entry("v")))
		gate.Open()
		faults.Clear()
		require.NoError(t, <-results)
		require.NoError(t, <-results)

		cb.Open()
		time.Sleep(time.Minute)
		cancelled(t, b, faults, backendtest.Hang())
		cb.Open()
		requireOpen(t, b.Set(t.Context(), "k", entry("v")))
	})
}

// A write that was refused before the store was asked says nothing of it.
func TestBreaker_NeverAsked(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]error{
		"encode":    &backends.EncodeError{Err: errFull},
		"too large": &backends.TooLargeError{What: "value", Size: 2, Max: 1},
		"no key":    backends.ErrEmptyKey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				cb := circuitbreaker.NewBuilder[any]().WithDelay(time.Minute).Build()
				b := decorate(t, faults, failsafebackend.WithCircuitBreakerPolicy(cb))
				faults.Next(tier.Set, backendtest.Lose(refused))
				require.Equal(t, refused, b.Set(t.Context(), "k", entry("v")))
				require.True(t, cb.IsClosed())
				cb.Open()
				time.Sleep(time.Minute)
				faults.Next(tier.Set, backendtest.Lose(refused))
				require.Equal(t, refused, b.Set(t.Context(), "k", entry("v")))
				require.True(t, cb.IsHalfOpen())
				require.NoError(t, b.Set(t.Context(), "k", entry("v")))
				require.True(t, cb.IsClosed())
			})
		})
	}
}

// A cancellation by another policy is not the caller's.
func TestBreaker_TimeoutPolicyIsAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults,
			failsafebackend.WithPolicies(timeout.New[any](time.Second)),
			failsafebackend.WithCircuitBreaker(1, time.Minute))
		faults.Next(tier.Set, backendtest.Hang())
		err := b.Set(t.Context(), "k", entry("v"))
		require.ErrorIs(t, err, timeout.ErrExceeded)
		assert.False(t, backends.CertainlyNotApplied(err))
		requireOpen(t, b.Set(t.Context(), "k", entry("v")))
	})
}

// The user's listeners and delay function go on to work.
func TestBreaker_Injected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var changes []string
		cb := circuitbreaker.NewBuilder[any]().
			HandleErrors(errLost).
			WithDelay(time.Minute).
			OnStateChanged(func(e circuitbreaker.StateChangedEvent) { changes = append(changes, e.NewState.String()) }).
			Build()
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithCircuitBreakerPolicy(cb), failsafebackend.WithCircuitBreakerPolicy(nil))
		faults.Next(tier.Set, backendtest.Lose(errFull), backendtest.Lose(errLost))
		require.Equal(t, errFull, b.Set(t.Context(), "k", entry("v")))
		require.Equal(t, errLost, b.Set(t.Context(), "k", entry("v")))
		requireOpen(t, b.Set(t.Context(), "k", entry("v")))
		time.Sleep(time.Minute)
		require.NoError(t, b.Set(t.Context(), "k", entry("v")))
		assert.Equal(t, []string{"open", "half-open", "closed"}, changes)
	})
}
