package failsafebackend_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

// refusal is an error of another adapter that says that its store is healthy.
type refusal struct{}

func (refusal) Error() string    { return "no permission for this key" }
func (refusal) Healthy() bool    { return true }
func (refusal) NotApplied() bool { return true }

// healthyErrors are answers of a healthy store.
var healthyErrors = map[string]error{
	"a decode error":      &backends.DecodeError{Err: errFull},
	"damaged bytes":       &backends.DamagedError{Reason: "short"},
	"marked":              backends.Healthy(errFull),
	"marked and wrapped":  fmt.Errorf("get: %w", backends.Healthy(errFull)),
	"of another adapter":  refusal{},
	"joined":              errors.Join(refusal{}, &backends.DecodeError{Err: errFull}),
	"refused and healthy": backends.NotApplied(backends.Healthy(errFull)),
}

// breakers are all ways to have a breaker that opens at the first failure and
// stays open for a minute.
var breakers = map[string]func() failsafebackend.Option{
	"simple": func() failsafebackend.Option { return failsafebackend.WithCircuitBreaker(1, time.Minute) },
	"injected": func() failsafebackend.Option {
		return failsafebackend.WithCircuitBreakerPolicy(circuitbreaker.NewWithDefaults[any]())
	},
}

// calls are all ways to call the backend.
var calls = map[string]func(ctx context.Context, b backends.Backend[string]) error{
	"Get": func(ctx context.Context, b backends.Backend[string]) error {
		_, _, err := b.Get(ctx, "k")
		return err
	},
	"Set": writes["Set"].write, "Delete": writes["Delete"].write, "staged": writes["staged"].write,
}

func always(faults *backendtest.Faults[string], fault backendtest.Fault) {
	for _, call := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
		faults.Always(call, fault)
	}
}

func TestBreaker_AnswersOfAHealthyStore(t *testing.T) {
	t.Parallel()
	for kind, breaker := range breakers {
		for name, answer := range healthyErrors {
			for call, do := range calls {
				t.Run(kind+", "+name+", "+call, func(t *testing.T) {
					t.Parallel()
					faults := newFaults()
					always(faults, backendtest.Lose(answer))
					b := decorate(t, faults, breaker())
					for range 10 {
						require.Equal(t, answer, do(t.Context(), b))
					}
					faults.Clear()
					require.NoError(t, do(t.Context(), b))
				})
			}
		}
	}
}

// Such an answer shows that a store has recovered.
func TestBreaker_AnswerOfAHealthyStoreCloses(t *testing.T) {
	t.Parallel()
	for name, answer := range healthyErrors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cb := circuitbreaker.NewWithDefaults[any]()
			cb.HalfOpen()
			faults := newFaults()
			faults.Next(tier.Get, backendtest.Lose(answer))
			_, _, err := decorate(t, faults, failsafebackend.WithCircuitBreakerPolicy(cb)).Get(t.Context(), "k")
			require.Equal(t, answer, err)
			assert.True(t, cb.IsClosed())
		})
	}
}

// Whoever sets it, a deadline that a store does not keep is a failure.
func TestBreaker_DeadlineIsAFailure(t *testing.T) {
	t.Parallel()
	within := func(cause error) func(ctx context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, 300*time.Millisecond, cause)
		}
	}
	cancelled := func(cause error) func(ctx context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(300*time.Millisecond, func() { cancel(cause) })
			return ctx, func() { cancel(nil) }
		}
	}
	// itsOwn ends by a deadline of the client's, when the caller has left long ago.
	itsOwn := func(context.Context, func(context.Context) error) error {
		time.Sleep(3 * time.Second)
		return fmt.Errorf("read: %w", os.ErrDeadlineExceeded)
	}
	onlyCause := func(ctx context.Context, _ func(context.Context) error) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	for name, test := range map[string]struct {
		fault backendtest.Fault
		ctx   func(ctx context.Context) (context.Context, context.CancelFunc)
		opt   failsafebackend.Option
	}{
		"the caller's":                           {backendtest.Hang(), within(nil), nil},
		"the caller's, with a cause":             {backendtest.Hang(), within(errWhy), nil},
		"the caller's, of which the cause comes": {onlyCause, within(errWhy), nil},
		"of the attempt":                         {backendtest.Hang(), context.WithCancel, failsafebackend.WithTimeout(time.Second)},
		"of a policy":                            {backendtest.Hang(), context.WithCancel, failsafebackend.WithPolicies(timeout.New[any](time.Second))},
		"another one, told by the cause":         {backendtest.Hang(), cancelled(context.DeadlineExceeded), nil},
		"another one, wrapped":                   {backendtest.Hang(), cancelled(fmt.Errorf("last waiter: %w", context.DeadlineExceeded)), nil},
		"the client's, after the caller left":    {itsOwn, cancelled(nil), nil},
		"the client's":                           {itsOwn, context.WithCancel, nil},
	} {
		for kind, breaker := range breakers {
			for call, do := range calls {
				t.Run(name+", "+kind+", "+call, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						faults := newFaults()
						always(faults, test.fault)
						b := decorate(t, faults, breaker(), test.opt)
						ctx, cancel := test.ctx(t.Context())
						defer cancel()
						require.Error(t, do(ctx, b))
						requireOpen(t, do(t.Context(), b))
						time.Sleep(3 * time.Second) // until what was cancelled late has been
					})
				})
			}
		}
	}
}

// The store hangs, and nobody waits for long.
func TestBreaker_HangingStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		always(faults, backendtest.Hang())
		b := decorate(t, faults, failsafebackend.WithCircuitBreaker(5, time.Minute), failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		begin := time.Now()
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, _, err := b.Get(ctx, "k")
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		_, _, err := b.Get(t.Context(), "k")
		requireOpen(t, err)
		assert.Equal(t, 5*300*time.Millisecond, time.Since(begin))
	})
}

// A caller that cancels says nothing of the store, whatever part of it the
// backend's error tells.
func TestBreaker_CancellationOfEveryForm(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]func(ctx context.Context) error{
		"both":            backends.ContextError,
		"the error":       context.Context.Err,
		"the cause":       context.Cause,
		"the error, more": func(ctx context.Context) error { return fmt.Errorf("read: %w", ctx.Err()) },
	} {
		for _, cause := range []error{nil, errWhy} {
			for kind, breaker := range breakers {
				for call, do := range calls {
					t.Run(fmt.Sprintf("%s, %v, %s, %s", name, cause, kind, call), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							faults := newFaults()
							b := decorate(t, faults, breaker())
							always(faults, func(ctx context.Context, _ func(context.Context) error) error {
								<-ctx.Done()
								return form(ctx)
							})
							ctx, cancel := context.WithCancelCause(t.Context())
							time.AfterFunc(time.Second, func() { cancel(cause) })
							require.Error(t, do(ctx, b))
							faults.Clear()
							require.NoError(t, do(t.Context(), b))
						})
					})
				}
			}
		}
	}
}

// An attempt that a hedge makes needless is cancelled, and is no failure.
func TestBreaker_HedgeThatWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		faults.Next(tier.Get, backendtest.Hang(), nil)
		b := decorate(t, faults, failsafebackend.WithCircuitBreaker(1, time.Minute),
			failsafebackend.WithPolicies(hedgepolicy.NewWithDelay[any](time.Second)))
		for range 2 {
			_, _, err := b.Get(t.Context(), "k")
			require.NoError(t, err)
		}
	})
}
