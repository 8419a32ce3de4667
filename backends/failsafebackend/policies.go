package failsafebackend

import (
	"errors"
	"fmt"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/policy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/tiercache/tiercache/backends"
)

// jitter is the share of a delay by which it is varied.
const jitter = 0.25

// validate returns an error that joins one for each bad value.
func (c config) validate() error {
	var errs []error
	bad := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrBadOption}, args...)...))
		}
	}
	if r := c.retry; r != nil {
		bad(c.retryPolicy != nil, "both WithRetry and WithRetryPolicy are used: choose one of them")
		bad(r.max < 0, "the number of retries is %d: it must not be negative", r.max)
		bad(r.minDelay <= 0, "the first delay of a retry is %v: it must be positive", r.minDelay)
		bad(r.maxDelay < r.minDelay, "the longest delay of a retry is %v: it must not be shorter than the first, %v", r.maxDelay, r.minDelay)
	}
	if b := c.breaker; b != nil {
		bad(c.breakerPolicy != nil, "both WithCircuitBreaker and WithCircuitBreakerPolicy are used: choose one of them")
		bad(b.failures <= 0, "the breaker opens after %d failures: use at least one", b.failures)
		bad(b.delay <= 0, "the breaker stays open for %v: use a positive time", b.delay)
	}
	if b := c.bulkhead; b != nil {
		bad(c.bulkheadPolicy != nil, "both WithBulkhead and WithBulkheadPolicy are used: choose one of them")
		bad(b.calls <= 0, "the bulkhead admits %d attempts: it must admit at least one", b.calls)
		bad(b.maxWait < 0, "the wait for the bulkhead is %v: it must not be negative", b.maxWait)
	}
	if c.breakerPolicy != nil {
		_, ok := c.breakerPolicy.ToExecutor(nil).(policy.Executor[any])
		bad(!ok, "the circuit breaker is a %T: pass one made by package circuitbreaker", c.breakerPolicy)
	}
	bad(c.timeout < 0, "the timeout is %v: it must not be negative", c.timeout)
	return errors.Join(errs...)
}

// compose returns the policies, outermost first, and the breaker or nil.
func (c config) compose() ([]failsafe.Policy[any], circuitbreaker.CircuitBreaker[any]) {
	var policies []failsafe.Policy[any]
	switch {
	case c.retryPolicy != nil:
		policies = append(policies, c.retryPolicy)
	case c.retry != nil:
		policies = append(policies, c.retry.build(), guard{})
	}
	policies = append(policies, c.policies...)
	switch {
	case c.bulkheadPolicy != nil:
		policies = append(policies, c.bulkheadPolicy)
	case c.bulkhead != nil:
		policies = append(policies, c.bulkhead.build())
	}
	if c.breaker != nil {
		c.breakerPolicy = c.breaker.build()
	}
	if c.breakerPolicy != nil {
		policies = append(policies, &breaker{CircuitBreaker: c.breakerPolicy})
	}
	return policies, c.breakerPolicy
}

func (r retryConfig) build() failsafe.Policy[any] {
	return retrypolicy.NewBuilder[any]().
		WithMaxRetries(r.max).
		WithBackoff(r.minDelay, r.maxDelay).
		WithJitterFactor(jitter).
		ReturnLastFailure().
		HandleIf(func(result any, err error) bool { return passes(err) && !unrepeatable(result) }).
		Build()
}

func (b breakerConfig) build() circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(uint(b.failures)). //nolint:gosec // validated
		WithSuccessThreshold(1).
		WithDelay(b.delay).
		Build()
}

func (b bulkheadConfig) build() failsafe.Policy[any] {
	return bulkhead.NewBuilder[any](uint(b.calls)). //nolint:gosec // validated
							WithMaxWaitTime(b.maxWait).
							Build()
}

// passes reports whether a repetition may succeed.
func passes(err error) bool {
	var p *backends.PanicError
	return err != nil && !refusal(err) && !errors.As(err, &p) && !neverAsked(err) && !isDecode(err)
}

// isDecode is for a write that reads first.
func isDecode(err error) bool {
	var e *backends.DecodeError
	return errors.As(err, &e)
}
