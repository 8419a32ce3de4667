package failsafebackend_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/fallback"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

// lagging fails at once, and the write is applied only after d.
func lagging(d time.Duration) backendtest.Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		time.AfterFunc(d, func() { _ = apply(context.WithoutCancel(ctx)) })
		return errLost
	}
}

// The reason for the rule: a write that comes late undoes those after it, so it
// must not have been said to be done.
func TestLaggingWrite(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := backendtest.NewMap[string]()
				require.NoError(t, store.Set(t.Context(), "k", entry("old")))
				faults := backendtest.WithFaults(store)
				faults.Next(w.call, lagging(time.Minute))
				b := decorate(t, faults, failsafebackend.WithRetry(5, time.Second, time.Second))
				require.Equal(t, errLost, w.write(t.Context(), b), "it is reported")

				require.NoError(t, b.Set(t.Context(), "k", entry("next")))
				time.Sleep(time.Hour)
				assert.NotEqual(t, "next", store.Snapshot()["k"].Value)
			})
		})
	}
}

// Policies between the retries and the backend may hide the error of an attempt,
// or the attempt itself.
func TestRetry_PoliciesThatHideAnAttempt(t *testing.T) {
	t.Parallel()
	stubborn := func(ctx context.Context, apply func(context.Context) error) error {
		time.Sleep(time.Minute) // it ignores its context
		return apply(ctx)
	}
	ended := timeout.New[any](time.Second)
	hedge := hedgepolicy.NewWithDelay[any](time.Second)
	certain := backendtest.FailBefore(errFull)
	for name, test := range map[string]struct {
		policy failsafe.Policy[any]
		faults []backendtest.Fault
		calls  int
		is     error // of the result; nil: success
	}{
		"a timeout of a lost attempt":                 {ended, []backendtest.Fault{backendtest.Hang()}, 1, timeout.ErrExceeded},
		"a timeout of one that was applied":           {ended, []backendtest.Fault{stubborn}, 1, nil},
		"a timeout of a certain one":                  {ended, []backendtest.Fault{backendtest.Chain(stubborn, certain)}, 2, nil},
		"an error in place of a lost one":             {fallback.NewWithError[any](errFull), []backendtest.Fault{backendtest.Lose(errLost)}, 1, errLost},
		"an error in place of a certain one":          {fallback.NewWithError[any](errFull), []backendtest.Fault{certain}, 2, nil},
		"a hedge that fails before a lost one":        {hedge, []backendtest.Fault{backendtest.Chain(stubborn, backendtest.Lose(errLost)), certain}, 2, errLost},
		"a hedge that fails before one that succeeds": {hedge, []backendtest.Fault{stubborn, certain}, 2, nil},
		"a hedge that fails before a certain one":     {hedge, []backendtest.Fault{backendtest.Chain(stubborn, certain), certain}, 2, errFull},
	} {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					faults := newFaults()
					faults.Next(w.call, test.faults...)
					b := decorate(t, faults, failsafebackend.WithPolicies(test.policy),
						failsafebackend.WithRetry(2, time.Millisecond, time.Millisecond))
					require.ErrorIs(t, w.write(t.Context(), b), test.is)
					assert.Equal(t, test.calls, faults.Calls(w.call))
				})
			})
		}
	}
}

// Reads are repeated whatever became of an attempt.
func TestRetry_ReadsWithATimeoutPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		faults.Next(tier.Get, backendtest.Hang(), backendtest.Lose(errLost))
		b := decorate(t, faults, failsafebackend.WithPolicies(timeout.New[any](time.Second)),
			failsafebackend.WithRetry(2, time.Millisecond, time.Millisecond))
		_, _, err := b.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, 3, faults.Calls(tier.Get))
	})
}

// readsFirst is a backend that reads from another before it writes.
type readsFirst struct {
	backends.Backend[string]
	other backends.Backend[string]
}

func (r readsFirst) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	if _, _, err := r.other.Get(ctx, key); err != nil {
		return backends.NotApplied(err)
	}
	return r.Backend.Set(ctx, key, entry)
}

// The read in the context of a write is a read.
func TestRetry_ReadWithinAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		retry := failsafebackend.WithRetry(1, time.Millisecond, time.Millisecond)
		b := decorate(t, readsFirst{newFaults(), decorate(t, faults, retry)}, failsafebackend.WithTimeout(time.Minute))
		script(faults, tier.Get, "l")
		require.NoError(t, b.Set(t.Context(), "k", entry("v")))
		assert.Equal(t, 2, faults.Calls(tier.Get))
	})
}

// Policies of the user's own are given the backend's errors themselves, and no
// result.
func TestPoliciesSeeTheBackendsErrors(t *testing.T) {
	t.Parallel()
	for name, retry := range map[string]failsafebackend.Option{
		"none":            nil,
		"WithRetry":       failsafebackend.WithRetry(2, time.Millisecond, time.Millisecond),
		"WithRetryPolicy": repeatsAll(2, time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var seen []error
				see := func(result any, err error) bool {
					assert.Nil(t, result)
					seen = append(seen, err)
					return false
				}
				faults := newFaults()
				b := decorate(t, faults, retry,
					failsafebackend.WithCircuitBreakerPolicy(circuitbreaker.NewBuilder[any]().HandleIf(see).Build()),
					failsafebackend.WithPolicies(retrypolicy.NewBuilder[any]().HandleIf(see).Build()))
				script(faults, tier.Set, "lll")
				require.ErrorIs(t, b.Set(t.Context(), "k", entry("v")), errLost)
				assert.Len(t, seen, 2*faults.Calls(tier.Set))
				for _, err := range seen {
					assert.Equal(t, errLost, err)
				}
			})
		})
	}
}

// A panic is not repeated even if the classifier thinks that it could be.
func TestRetry_Panic(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			for _, certain := range []bool{false, true} {
				faults := newFaults()
				faults.Next(w.call, backendtest.ApplyThenPanic("boom"))
				b := decorate(t, faults, failsafebackend.WithRetry(2, 1, 1),
					failsafebackend.WithClassifier(func(error) bool { return certain }))
				require.EqualError(t, w.write(t.Context(), b), "panic (string)")
				assert.Equal(t, 1, faults.Calls(w.call))
			}
		})
	}
}
