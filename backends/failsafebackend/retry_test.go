package failsafebackend_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

func TestRetry_Delays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		var at []time.Duration
		begin := time.Now()
		faults.Always(tier.Set, func(context.Context, func(context.Context) error) error {
			at = append(at, time.Since(begin))
			return backends.NotApplied(errFull)
		})
		b := decorate(t, faults, failsafebackend.WithRetry(5, 100*time.Millisecond, 400*time.Millisecond))
		require.ErrorIs(t, b.Set(t.Context(), "k", entry("v")), errFull)
		require.Len(t, at, 6)
		assert.Zero(t, at[0])
		for i, want := range []time.Duration{100, 200, 400, 400, 400} {
			got, want := at[i+1]-at[i], want*time.Millisecond
			assert.InDelta(t, want, got, float64(want)/4, "delay %d", i)
		}
	})
}

func TestRetry_Get(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		_, ok, err := b.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok)
		assert.Equal(t, 1, faults.Calls(tier.Get), "a miss is not repeated")

		want := backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(time.Hour)}
		require.NoError(t, b.Set(t.Context(), "k", want))
		faults.Next(tier.Get, backendtest.Lose(errLost), backendtest.ApplyThenFail(errLost))
		got, ok, err := b.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, want, got)

		faults.Always(tier.Get, backendtest.Lose(errLost))
		got, ok, err = b.Get(t.Context(), "k")
		require.EqualError(t, err, "failsafebackend: get failed after 3 attempts: lost")
		assert.False(t, ok)
		assert.Zero(t, got)
	})
}

func TestRetry_NotOf(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"an encode error":  &backends.EncodeError{Err: errLost},
		"a decode error":   &backends.DecodeError{Err: errLost},
		"too large":        &backends.TooLargeError{What: "value", Size: 2, Max: 1},
		"an empty key":     backends.ErrEmptyKey,
		"a panic":          &backends.PanicError{Value: "v"},
		"an open breaker":  &failsafebackend.RefusedError{Err: circuitbreaker.ErrOpen},
		"a full bulkhead":  bulkhead.ErrFull,
		"a limit of calls": ratelimiter.ErrExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				faults.Always(tier.Get, backendtest.Lose(err))
				faults.Always(tier.Set, backendtest.FailBefore(err))
				b := decorate(t, faults, failsafebackend.WithRetry(3, time.Hour, time.Hour))
				_, _, readErr := b.Get(t.Context(), "k")
				assert.Equal(t, err, readErr)
				assert.Equal(t, backends.NotApplied(err), b.Set(t.Context(), "k", entry("v")))
				assert.Equal(t, 1, faults.Calls(tier.Get))
				assert.Equal(t, 1, faults.Calls(tier.Set))
			})
		})
	}
}

// A healthy store would answer a read in the same way again.
func TestRetry_ReadThatAHealthyStoreAnswered(t *testing.T) {
	t.Parallel()
	for name, answer := range healthyErrors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				faults.Always(tier.Get, backendtest.Lose(answer))
				_, _, err := decorate(t, faults, failsafebackend.WithRetry(2, time.Hour, time.Hour)).Get(t.Context(), "k")
				require.Equal(t, answer, err)
				assert.Equal(t, 1, faults.Calls(tier.Get))
			})
		})
	}
}

// Writes are repeated as long as they were certainly not applied, whatever the
// error says of the store: a replica may become the master.
func TestRetry_WriteThatAHealthyStoreRefused(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				b := decorate(t, faults, failsafebackend.WithRetry(2, time.Second, time.Second))
				faults.Next(w.call, backendtest.Lose(refusal{}), backendtest.Lose(refusal{}))
				require.NoError(t, w.write(t.Context(), b))
				assert.Equal(t, 3, faults.Calls(w.call))

				uncertain := backends.Healthy(errLost)
				faults.Next(w.call, backendtest.Lose(uncertain))
				require.Equal(t, uncertain, w.write(t.Context(), b))
				assert.Equal(t, 4, faults.Calls(w.call))
			})
		})
	}
}

func TestRetry_ContextEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   backendtest.Fault
		retry   failsafebackend.Option
		certain bool
	}{
		"after a certain attempt":         {backendtest.FailBefore(errFull), failsafebackend.WithRetry(3, time.Hour, time.Hour), true},
		"user's, after a certain attempt": {backendtest.FailBefore(errFull), repeatsAll(3, time.Hour), true},
		"user's, after one that was lost": {backendtest.Lose(errLost), repeatsAll(3, time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults()
				faults.Always(tier.Set, test.fault)
				b := decorate(t, faults, test.retry)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				err := b.Set(ctx, "k", entry("v"))
				assert.Equal(t, time.Second, time.Since(begin))
				assert.Equal(t, test.certain, backends.CertainlyNotApplied(err))
				var stopped *failsafebackend.Error
				require.ErrorAs(t, err, &stopped)
				assert.Equal(t, 1, stopped.Attempts)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, stopped.Err)
			})
		})
	}
}

// The attempt's own error says more than that the context ended.
func TestRetry_CancelledAttempt(t *testing.T) {
	t.Parallel()
	faults := newFaults()
	ctx, cancel := context.WithCancel(t.Context())
	faults.Next(tier.Set, func(ctx context.Context, _ func(context.Context) error) error {
		cancel()
		return fmt.Errorf("read: %w", ctx.Err())
	})
	err := decorate(t, faults, failsafebackend.WithRetry(3, time.Hour, time.Hour)).Set(ctx, "k", entry("v"))
	require.EqualError(t, err, "read: context canceled")
	assert.False(t, backends.CertainlyNotApplied(err))
}

// The retry policy of failsafe-go gives the context's error when the context has
// ended, even if the attempt has succeeded.
func TestRetry_SuccessOfACancelledCall(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			faults := newFaults()
			ctx, cancel := context.WithCancel(t.Context())
			faults.Next(w.call, func(ctx context.Context, apply func(context.Context) error) error {
				defer cancel()
				return apply(ctx)
			})
			require.NoError(t, w.write(ctx, decorate(t, faults, failsafebackend.WithRetry(3, time.Hour, time.Hour))))
		})
	}
}

// The errors of a policy of the user's own keep the outcome of the attempts.
func TestRetry_Injected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithRetryPolicy(retrypolicy.NewWithDefaults[any]()), failsafebackend.WithRetryPolicy(nil))
		script(faults, tier.Set, "gff")
		err := b.Set(t.Context(), "k", entry("v"))
		require.EqualError(t, err, "failsafebackend: set failed after 3 attempts: full")
		assert.False(t, backends.CertainlyNotApplied(err))
		require.ErrorIs(t, err, errFull)
	})
}

// A deadline of each attempt, not of all.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		third := func(call tier.Kind) {
			faults.Next(call, backendtest.Hang(), backendtest.ApplyThenHang(), backendtest.Delay(time.Second-1))
		}
		simple := decorate(t, faults, failsafebackend.WithRetry(2, time.Nanosecond, time.Nanosecond), failsafebackend.WithTimeout(time.Second))
		third(tier.Get)
		begin := time.Now()
		_, _, err := simple.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.InDelta(t, 3*time.Second, time.Since(begin), 10)
		assert.Equal(t, 3, faults.Calls(tier.Get))

		user := decorate(t, faults, repeatsAll(2, time.Nanosecond), failsafebackend.WithTimeout(time.Second))
		third(tier.Set)
		begin = time.Now()
		require.NoError(t, user.Set(t.Context(), "k", entry("v")))
		assert.InDelta(t, 3*time.Second, time.Since(begin), 10)
		assert.Equal(t, 3, faults.Calls(tier.Set))

		// A write that ended so is not repeated.
		faults.Always(tier.Delete, backendtest.Hang())
		begin = time.Now()
		err = simple.Delete(t.Context(), "k")
		assert.Equal(t, time.Second, time.Since(begin))
		assert.Equal(t, 1, faults.Calls(tier.Delete))
		require.Equal(t, context.DeadlineExceeded, err)
		assert.False(t, backends.CertainlyNotApplied(err))
	})
}
