package tiercache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// DefaultWriteTimeout is how long a write of a tier that is not in-process may
// take, unless [WithWriteTimeout] says otherwise.
const DefaultWriteTimeout = 5 * time.Second

// Inconsistency is what the hook is told; see [WithInconsistencyHook].
type Inconsistency = tracing.Inconsistency

// Option configures a [Cache].
type Option interface{ apply(config) config }

type config struct {
	policy       writepolicy.Policy
	telemetry    []tracing.Option
	writeTimeout time.Duration
	certain      func(error) bool
	hook         func(context.Context, Inconsistency)
	readConfig
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

func newConfig(opts []Option) (config, error) {
	c := config{
		policy:       writepolicy.Sequential(),
		writeTimeout: DefaultWriteTimeout,
		certain:      backends.CertainlyNotApplied,
		readConfig:   readConfig{reads: readpolicy.Sequential()},
	}
	for _, o := range opts {
		if o != nil {
			c = o.apply(c)
		}
	}
	if c.writeTimeout <= 0 {
		return c, fmt.Errorf("%w: the write timeout is %v: it must be positive, so that every write ends", ErrInvalid, c.writeTimeout)
	}
	if v, ok := c.policy.(writepolicy.Validator); ok {
		if err := v.Validate(); err != nil {
			return c, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return c, c.validate()
}

// WithPolicy sets the policy by which writes go to the tiers. Default, and for
// nil: [writepolicy.Sequential].
func WithPolicy(p writepolicy.Policy) Option {
	return optionFunc(func(c config) config {
		if p != nil {
			c.policy = p
		}
		return c
	})
}

// WithTelemetry configures spans, metrics and logs. Default: the global
// providers of OpenTelemetry. Given more than once, the options add up.
func WithTelemetry(opts ...tracing.Option) Option {
	return optionFunc(func(c config) config {
		c.telemetry = append(slices.Clip(c.telemetry), opts...)
		return c
	})
}

// WithWriteTimeout sets how long one write of a tier that is not in-process may
// take. It counts from the beginning of that write, and it takes the place of
// the caller's deadline, which does not end a write once its first tier was
// touched. It may be up to a 64th shorter, because writes that begin at about the
// same time share a timer. It must be positive. Default: [DefaultWriteTimeout].
func WithWriteTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.writeTimeout = d
		return c
	})
}

// WithClassifier replaces the rule that tells whether an error of a backend's
// Set or Delete means that the write was certainly not applied. Where it is
// wrong, a divergence may go unreported; when in doubt, it must return false. It
// must be safe for concurrent use. Default, and for nil:
// [backends.CertainlyNotApplied].
func WithClassifier(certainlyNotApplied func(err error) bool) Option {
	return optionFunc(func(c config) config {
		if certainlyNotApplied != nil {
			c.certain = certainlyNotApplied
		}
		return c
	})
}

// WithInconsistencyHook sets a function that is called for every operation after
// which the tiers may differ, resolved or not, after the event was emitted and
// the key's turn was given up, so that it may write the key again. It runs
// before the operation returns, or in the goroutine of a detached write; Close
// waits for it. The context carries the trace and is not cancelled with the
// caller's. It must be safe for concurrent use. A panic of the hook is given to
// OpenTelemetry's error handler. Default, and for nil: none.
func WithInconsistencyHook(hook func(ctx context.Context, i Inconsistency)) Option {
	return optionFunc(func(c config) config {
		c.hook = hook
		return c
	})
}
