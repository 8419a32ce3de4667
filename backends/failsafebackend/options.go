package failsafebackend

import (
	"slices"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/backends"
)

// Option configures a [Backend]. The policies of failsafe-go that options take
// are of result type any; they are given errors, and no result that means
// anything.
type Option interface{ apply(c config) config }

type config struct {
	retry          *retryConfig
	retryPolicy    retrypolicy.RetryPolicy[any]
	breaker        *breakerConfig
	breakerPolicy  circuitbreaker.CircuitBreaker[any]
	bulkhead       *bulkheadConfig
	bulkheadPolicy bulkhead.Bulkhead[any]
	policies       []failsafe.Policy[any]
	timeout        time.Duration
	certain        func(err error) bool
	name           string
	meterProvider  metric.MeterProvider
}

type retryConfig struct {
	max                int
	minDelay, maxDelay time.Duration
}

type breakerConfig struct {
	failures int
	delay    time.Duration
}

type bulkheadConfig struct {
	calls   int
	maxWait time.Duration
}

func newConfig(opts []Option) config {
	c := config{certain: backends.CertainlyNotApplied}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithRetry repeats an operation that failed, up to maxRetries times. It waits
// before each, at first for minDelay, then for twice as long each time up to
// maxDelay, give or take a quarter at random. None may be negative, minDelay
// must be positive and not above maxDelay. Default: no retries.
//
// It does not retry a call that another policy refused, a cancelled call, a panic,
// errors of a codec, a write that is too large, and a read that a healthy store
// answered with an error, see [backends.FromHealthyStore]. And it repeats a write only
// when every attempt so far was certainly not applied, see [WithClassifier]; one that
// ended by a timeout, for instance, was not certainly so. An attempt that may have been
// applied may also still be on its way, and be applied after the repetition, or even
// after the next write of the key, and no error would report it. Conditional writes are
// repeated where their condition makes that safe, see [Backend.Write], and of a batch the
// elements that are left, see [Backend.WriteMany].
func WithRetry(maxRetries int, minDelay, maxDelay time.Duration) Option {
	return optionFunc(func(c config) config {
		c.retry = &retryConfig{max: maxRetries, minDelay: minDelay, maxDelay: maxDelay}
		return c
	})
}

// WithRetryPolicy uses a retry policy that was built elsewhere, in place of that of
// [WithRetry], with its own conditions. If they have a write repeated that may have
// been applied, and the repetition succeeds, the write counts as applied, and an
// attempt that is still on its way is not reported. Nil: no effect.
func WithRetryPolicy(policy retrypolicy.RetryPolicy[any]) Option {
	return optionFunc(func(c config) config {
		if policy != nil {
			c.retryPolicy = policy
		}
		return c
	})
}

// WithCircuitBreaker refuses calls once that many attempts have failed in a row,
// for as long as delay. Then it lets one attempt through, and its success closes
// the breaker. Both must be positive. Default: no breaker.
//
// A miss and an error of a healthy store are successes, a cancellation by the
// caller is neither success nor failure, and a deadline is a failure, also the
// caller's. The package's doc has the whole list.
func WithCircuitBreaker(failures int, delay time.Duration) Option {
	return optionFunc(func(c config) config {
		c.breaker = &breakerConfig{failures: failures, delay: delay}
		return c
	})
}

// WithCircuitBreakerPolicy uses a circuit breaker that was built elsewhere, in place of
// that of [WithCircuitBreaker]; it may be shared with others. Its own conditions judge
// only the errors that the package's doc calls failures: those of a healthy store are
// successes, and it does not count attempts that the caller cancelled. Nil: no effect.
func WithCircuitBreakerPolicy(policy circuitbreaker.CircuitBreaker[any]) Option {
	return optionFunc(func(c config) config {
		if policy != nil {
			c.breakerPolicy = policy
		}
		return c
	})
}

// WithBulkhead lets at most that many attempts run at a time. Others wait for up
// to maxWait, and are then refused; 0 refuses them at once. The number must be
// positive, and maxWait not negative. Default: no bulkhead.
func WithBulkhead(attempts int, maxWait time.Duration) Option {
	return optionFunc(func(c config) config {
		c.bulkhead = &bulkheadConfig{calls: attempts, maxWait: maxWait}
		return c
	})
}

// WithBulkheadPolicy uses a bulkhead that was built elsewhere, in place of that
// of [WithBulkhead]; it may be shared with others. Nil: no effect.
func WithBulkheadPolicy(policy bulkhead.Bulkhead[any]) Option {
	return optionFunc(func(c config) config {
		if policy != nil {
			c.bulkheadPolicy = policy
		}
		return c
	})
}

// WithPolicies adds other policies, the first one outermost; see the package's doc for
// their place. Nil ones have no effect. Fallbacks and caches have no place here, see
// [ErrNotAsked]. The warning of [WithRetryPolicy] holds for those that retry or hedge.
func WithPolicies(policies ...failsafe.Policy[any]) Option {
	return optionFunc(func(c config) config {
		c.policies = slices.Clip(c.policies)
		for _, p := range policies {
			if p != nil {
				c.policies = append(c.policies, p)
			}
		}
		return c
	})
}

// WithTimeout ends the context of each attempt after d. It must not be negative.
// Default, and with 0: no timeout of an attempt, so that only the caller's
// context ends it.
func WithTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.timeout = d
		return c
	})
}

// WithClassifier replaces [backends.CertainlyNotApplied] in judging the error of
// each attempt. It is for a backend that does not mark its errors as
// [backends.NotApplied] does: without marks [WithRetry] repeats no write. It must
// be safe for concurrent use. Nil: no effect.
func WithClassifier(certainlyNotApplied func(err error) bool) Option {
	return optionFunc(func(c config) config {
		if certainlyNotApplied != nil {
			c.certain = certainlyNotApplied
		}
		return c
	})
}

// WithName names the breaker in the metrics, to distinguish several. There are no metrics
// without a breaker. Default: the system of the backend's description, or "default" if it
// has none.
func WithName(name string) Option {
	return optionFunc(func(c config) config {
		c.name = name
		return c
	})
}

// WithMeterProvider sets where the metrics of the breaker go. There are none without one.
// Default, and with nil: the global provider.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c config) config {
		if provider != nil {
			c.meterProvider = provider
		}
		return c
	})
}
