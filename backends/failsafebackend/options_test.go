package failsafebackend_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

func TestNew_Errors(t *testing.T) {
	t.Parallel()
	nothing, err := failsafebackend.New[string](nil)
	assert.Nil(t, nothing)
	require.ErrorIs(t, err, backends.ErrNilBackend)

	for text, opts := range map[string][]failsafebackend.Option{
		"the number of retries is -1: it must not be negative":                                              {failsafebackend.WithRetry(-1, 1, 1)},
		"the first delay of a retry is 0s: it must be positive":                                             {failsafebackend.WithRetry(1, 0, 1)},
		"the longest delay of a retry is 1s: it must not be shorter than the first, 1m0s":                   {failsafebackend.WithRetry(1, time.Minute, time.Second)},
		"both WithRetry and WithRetryPolicy are used: choose one of them":                                   {failsafebackend.WithRetry(1, 1, 1), failsafebackend.WithRetryPolicy(retrypolicy.NewWithDefaults[any]())},
		"the breaker opens after 0 failures: use at least one":                                              {failsafebackend.WithCircuitBreaker(0, 1)},
		"the breaker stays open for 0s: use a positive time":                                                {failsafebackend.WithCircuitBreaker(1, 0)},
		"both WithCircuitBreaker and WithCircuitBreakerPolicy are used: choose one of them":                 {failsafebackend.WithCircuitBreaker(1, 1), failsafebackend.WithCircuitBreakerPolicy(circuitbreaker.NewWithDefaults[any]())},
		"the bulkhead admits 0 attempts: it must admit at least one":                                        {failsafebackend.WithBulkhead(0, 0)},
		"the wait for the bulkhead is -1s: it must not be negative":                                         {failsafebackend.WithBulkhead(1, -time.Second)},
		"both WithBulkhead and WithBulkheadPolicy are used: choose one of them":                             {failsafebackend.WithBulkhead(1, 0), failsafebackend.WithBulkheadPolicy(bulkhead.New[any](1))},
		"the timeout is -1s: it must not be negative":                                                       {failsafebackend.WithTimeout(-time.Second)},
		"the circuit breaker is a failsafebackend_test.oddBreaker: pass one made by package circuitbreaker": {failsafebackend.WithCircuitBreakerPolicy(oddBreaker{})},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			b, err := failsafebackend.New(newFaults(), opts...)
			assert.Nil(t, b)
			require.ErrorIs(t, err, failsafebackend.ErrBadOption)
			require.EqualError(t, err, "failsafebackend: bad option: "+text)
		})
	}
	_, err = failsafebackend.New(newFaults(), failsafebackend.WithTimeout(-1), nil, failsafebackend.WithRetry(-1, 1, 1))
	require.ErrorContains(t, err, "the timeout is")
	require.ErrorContains(t, err, "the number of retries is")
}

type oddBreaker struct {
	circuitbreaker.CircuitBreaker[any]
}

func (oddBreaker) ToExecutor(any) any { return nil }

func TestDescribe(t *testing.T) {
	t.Parallel()
	want := backends.Description{System: "redis", ServerAddress: "cache.example", ServerPort: 6379, Instrumented: true}
	assert.Equal(t, want, decorate(t, newFaults().Described(want), all...).Describe())
	assert.Zero(t, decorate(t, plain{backendtest.NewMap[int]()}).Describe())
}

func TestStage(t *testing.T) {
	t.Parallel()
	faults := newFaults()
	b := decorate(t, faults, failsafebackend.WithRetry(3, 1, 1), failsafebackend.WithCircuitBreaker(1, time.Hour))
	faults.Next(tier.Stage, backendtest.Lose(errLost))
	set, err := b.Stage(t.Context(), "k", entry("v"))
	assert.Nil(t, set)
	require.Equal(t, errLost, err)
	assert.Equal(t, 1, faults.Calls(tier.Stage), "staging is not repeated")

	set, err = b.Stage(t.Context(), "k", entry("v"))
	require.NoError(t, err, "nor does it open the breaker")
	require.NoError(t, set(t.Context()))
	assert.Equal(t, 2, faults.Calls(tier.Stage))
	assert.Equal(t, 1, faults.Calls(tier.Set))
}

var errWhy = errors.New("why")

func TestContextThatHasEnded(t *testing.T) {
	t.Parallel()
	faults := newFaults()
	b := decorate(t, faults, all...)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(errWhy)
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()
	for _, test := range []struct {
		ctx             context.Context
		errorType, text string
		is              []error
	}{
		{canceled, "canceled", "context canceled", []error{context.Canceled}},
		{caused, "canceled", "context canceled: why", []error{context.Canceled, errWhy}},
		{late, "timeout", "context deadline exceeded", []error{context.DeadlineExceeded}},
	} {
		_, ok, err := b.Get(test.ctx, "k")
		require.False(t, ok)
		for op, err := range map[string]error{
			"get": err, "set": b.Set(test.ctx, "k", entry("v")), "delete": b.Delete(test.ctx, "k"),
		} {
			require.EqualError(t, err, "failsafebackend: "+op+" refused without an attempt: "+test.text)
			for _, is := range test.is {
				require.ErrorIs(t, err, is)
			}
			var refused *failsafebackend.RefusedError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, test.errorType, refused.ErrorType())
			assert.True(t, backends.CertainlyNotApplied(err))
		}
	}
	assert.Zero(t, faults.Calls(tier.Get)+faults.Calls(tier.Set)+faults.Calls(tier.Delete))
}
