package failsafebackend_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/internal/errtype"
	"github.com/tiercache/tiercache/tier"
)

// endings are all ways in which a context ends after a second.
var endings = map[string]struct {
	end       func(ctx context.Context) context.Context
	is        []error
	errorType string
}{
	"cancelled": {cancelLater(nil), []error{context.Canceled}, "canceled"},
	"cancelled with a cause": {
		cancelLater(errWhy), []error{context.Canceled, errWhy}, "canceled",
	},
	"a deadline": {deadline(nil), []error{context.DeadlineExceeded}, "timeout"},
	"a deadline with a cause": {
		deadline(errWhy), []error{context.DeadlineExceeded, errWhy}, "timeout",
	},
}

func cancelLater(cause error) func(ctx context.Context) context.Context {
	return func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(time.Second, func() { cancel(cause) })
		return ctx
	}
}

func deadline(cause error) func(ctx context.Context) context.Context {
	return func(ctx context.Context) context.Context {
		ctx, cancel := context.WithTimeoutCause(ctx, time.Second, cause)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
}

// Wherever the end of a context meets a call, the error tells who ended it and
// why.
func TestContextThatEnds(t *testing.T) {
	t.Parallel()
	hanging := func(form func(ctx context.Context) error) backendtest.Fault {
		return func(ctx context.Context, _ func(context.Context) error) error {
			<-ctx.Done()
			return form(ctx)
		}
	}
	for name, test := range map[string]struct {
		fault backendtest.Fault
		opt   func() failsafebackend.Option
		whole bool // the error is that of the context, and not of an attempt before
	}{
		"in an attempt": {fault: hanging(backends.ContextError), whole: true},
		"in an attempt, the backend gives the error": {fault: hanging(context.Context.Err), whole: true},
		"in an attempt, the backend gives the cause": {fault: hanging(context.Cause), whole: true},
		"in an attempt, the backend adds to the error": {
			fault: hanging(func(ctx context.Context) error { return fmt.Errorf("read: %w", ctx.Err()) }), whole: true,
		},
		"between attempts": {
			fault: backendtest.FailBefore(errFull),
			opt:   func() failsafebackend.Option { return failsafebackend.WithRetry(2, time.Hour, time.Hour) },
		},
		"between attempts of the user's": {
			fault: backendtest.FailBefore(errFull),
			opt:   func() failsafebackend.Option { return repeatsAll(2, time.Hour) },
		},
		"at the bulkhead": {opt: func() failsafebackend.Option {
			full := bulkhead.NewBuilder[any](1).WithMaxWaitTime(time.Hour).Build()
			full.TryAcquirePermit()
			return failsafebackend.WithBulkheadPolicy(full)
		}, whole: true},
		"at a rate limiter": {opt: func() failsafebackend.Option {
			limiter := ratelimiter.NewSmoothBuilderWithMaxRate[any](time.Hour).WithMaxWaitTime(time.Hour).Build()
			limiter.TryAcquirePermit()
			return failsafebackend.WithPolicies(limiter)
		}, whole: true},
	} {
		for how, ending := range endings {
			for call, do := range calls {
				t.Run(name+", "+how+", "+call, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						faults := newFaults()
						if test.fault != nil {
							always(faults, test.fault)
						}
						var opts []failsafebackend.Option
						if test.opt != nil {
							opts = append(opts, test.opt())
						}
						begin := time.Now()
						err := do(ending.end(t.Context()), decorate(t, faults, opts...))
						assert.Equal(t, time.Second, time.Since(begin))
						for _, is := range ending.is {
							require.ErrorIs(t, err, is)
						}
						if test.whole {
							assert.Equal(t, ending.errorType, errtype.Of(err))
						} else {
							require.ErrorIs(t, err, errFull)
						}
					})
				})
			}
		}
	}
}

// A call that is not begun, because its context has ended.
func TestContextThatEnds_BeforeTheCall(t *testing.T) {
	t.Parallel()
	for how, ending := range endings {
		for call, do := range calls {
			t.Run(how+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					faults := newFaults()
					ctx := ending.end(t.Context())
					<-ctx.Done()
					err := do(ctx, decorate(t, faults, all...))
					for _, is := range ending.is {
						require.ErrorIs(t, err, is)
					}
					assert.Equal(t, ending.errorType, errtype.Of(err))
					assert.True(t, backends.CertainlyNotApplied(err))
				})
			})
		}
	}
}

// A timeout of a policy is a deadline too.
func TestTimeoutPolicyIsADeadline(t *testing.T) {
	t.Parallel()
	for call, do := range calls {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				always(faults, backendtest.Hang())
				slow := failsafebackend.WithPolicies(timeout.New[any](time.Second))
				err := do(t.Context(), decorate(t, faults, slow))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, timeout.ErrExceeded)
				assert.Equal(t, "timeout", errtype.Of(err))

				// Also when it ends the wait for another policy.
				full := bulkhead.NewBuilder[any](1).WithMaxWaitTime(time.Hour).Build()
				full.TryAcquirePermit()
				err = do(t.Context(), decorate(t, faults, slow, failsafebackend.WithBulkheadPolicy(full)))
				var refused *failsafebackend.RefusedError
				require.ErrorAs(t, err, &refused)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, "timeout", errtype.Of(err))
			})
		})
	}
}

// The error type is that of the last attempt.
func TestError_ErrorType(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		faults.Always(tier.Set, backendtest.FailBefore(&backends.PanicError{Value: "v"}))
		err := decorate(t, faults, repeatsAll(1, time.Second)).Set(t.Context(), "k", entry("v"))
		var failed *failsafebackend.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, "panic", failed.ErrorType())
	})
}
