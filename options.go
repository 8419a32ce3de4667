package tiercache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/engine"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// The timeouts of a cache, unless options set others.
const (
	DefaultWriteTimeout      = 5 * time.Second  // see [WithWriteTimeout]
	DefaultReadTimeout       = 5 * time.Second  // see [WithReadTimeout]
	DefaultBackgroundTimeout = 30 * time.Second // see [WithBackgroundTimeout]
	DefaultMaxRefillTTL      = 24 * time.Hour   // see [WithMaxRefillTTL]
)

// Option configures a [Cache].
type Option interface{ apply(config) config }

type config struct {
	engine.Config
	refill Refill
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

func newConfig(name string, opts []Option) (config, error) {
	c := config{Config: engine.Config{
		Name:         name,
		WritePolicy:  writepolicy.Sequential(),
		WriteTimeout: DefaultWriteTimeout,
		Certain:      backends.CertainlyNotApplied,
		ReadPolicy:   readpolicy.Sequential(),
		ReadTimeout:  DefaultReadTimeout,

		BackgroundTimeout: DefaultBackgroundTimeout,
		MaxRefillTTL:      DefaultMaxRefillTTL,
	}}
	for _, o := range opts {
		if o != nil {
			c = o.apply(c)
		}
	}
	c.NoRefill = c.refill == RefillNever
	return c, c.validate()
}

func (c config) validate() error {
	for _, d := range []struct {
		name, what string
		time.Duration
	}{
		{"write", "write", c.WriteTimeout}, {"read", "read", c.ReadTimeout}, {"background", "load", c.BackgroundTimeout},
	} {
		if d.Duration <= 0 {
			return fmt.Errorf("%w: the %s timeout is %v: it must be positive, so that every %s ends", ErrInvalid, d.name, d.Duration, d.what)
		}
	}
	if c.SoftTimeout > 0 && c.StaleIfError == 0 {
		return fmt.Errorf("%w: WithStaleIfSlow(%v) needs WithStaleIfError, which keeps the stale values", ErrInvalid, c.SoftTimeout)
	}
	if c.MaxLoads < 0 {
		return fmt.Errorf("%w: WithMaxLoads(%d) is negative: use 0 for no limit", ErrInvalid, c.MaxLoads)
	}
	if err := engine.Validate(c.WritePolicy); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, d := range []struct {
		name string
		time.Duration
	}{{"WithL1TTL", c.L1TTL}, {"WithNegativeTTL", c.NegativeTTL}, {"WithStaleIfError", c.StaleIfError}, {"WithStaleIfSlow", c.SoftTimeout}, {"WithMaxRefillTTL", c.MaxRefillTTL}} {
		if d.Duration < 0 {
			return fmt.Errorf("%w: %s(%v) is negative: use 0 to turn it off", ErrInvalid, d.name, d.Duration)
		}
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"WithL1TTL's jitter", c.L1Jitter}, {"WithRefreshAhead", c.RefreshAhead}} {
		if !(f.v >= 0 && f.v < 1) { // written so that NaN fails
			return fmt.Errorf("%w: %s is %v: it must be at least 0 and less than 1", ErrInvalid, f.name, f.v)
		}
	}
	if c.refill > RefillNever {
		return fmt.Errorf("%w: WithRefill(%d): use RefillAlways or RefillNever", ErrInvalid, c.refill)
	}
	return nil
}

// WithWritePolicy sets the policy by which writes go to the tiers. Default, and for
// nil: [writepolicy.Sequential].
func WithWritePolicy(p writepolicy.Policy) Option {
	return optionFunc(func(c config) config {
		if p != nil {
			c.WritePolicy = p
		}
		return c
	})
}

// WithReadPolicy sets the policy by which reads ask the tiers. Default, and for nil:
// [readpolicy.Sequential].
func WithReadPolicy(p readpolicy.Policy) Option {
	return optionFunc(func(c config) config {
		if p != nil {
			c.ReadPolicy = p
		}
		return c
	})
}

// WithTelemetry configures spans, metrics and logs. Default: the global
// providers of OpenTelemetry. Given more than once, the options add up.
func WithTelemetry(opts ...tracing.Option) Option {
	return optionFunc(func(c config) config {
		c.Telemetry = append(slices.Clip(c.Telemetry), opts...)
		return c
	})
}

// WithWriteTimeout sets the timeout of one write of a tier that is not in-process. It
// counts from the beginning of that write, and takes the place of the caller's
// deadline, which does not end a write once its first tier was touched. It may be up
// to a 64th shorter, because writes that begin at about the same time share a timer.
// It must be positive. Default: [DefaultWriteTimeout].
func WithWriteTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.WriteTimeout = d
		return c
	})
}

// WithReadTimeout sets the timeout of one read of a tier that is not in-process. The
// caller's own deadline holds too. It may be up to a 64th shorter, as that of a write. It
// must be positive. Default: [DefaultReadTimeout].
func WithReadTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.ReadTimeout = d
		return c
	})
}

// WithClassifier replaces the rule that decides whether an error of a backend's
// Set or Delete means that the write was certainly not applied. Where it is
// wrong, a divergence may go unreported; when in doubt, it must return false. It
// must be safe for concurrent use. Default, and for nil:
// [backends.CertainlyNotApplied].
func WithClassifier(certainlyNotApplied func(err error) bool) Option {
	return optionFunc(func(c config) config {
		if certainlyNotApplied != nil {
			c.Certain = certainlyNotApplied
		}
		return c
	})
}

// WithInconsistencyHook sets a function that the cache calls for every operation
// after which the tiers may differ, resolved or not, after the event was emitted and
// the key was unlocked, so that it may write the key again. It runs before the
// operation returns, or in the goroutine of a detached write; Close waits for it. The
// context carries the trace and does not end, neither with the caller's nor when a
// policy cancels the call of a tier. It must be safe for concurrent use. A panic of the
// hook goes to OpenTelemetry's error handler. Default, and for nil: none.
//
// A hook that writes should pass on its context. While a tier is down its write leaves
// another difference, which is reported like any other, except to the hook: a write
// whose context descends from that of a hook does not call the hook again. GetOrLoad in
// a hook does not share the load that the hook belongs to, and Close in a hook does not
// wait.
func WithInconsistencyHook(hook func(ctx context.Context, i Inconsistency)) Option {
	return optionFunc(func(c config) config {
		c.Hook = hook
		return c
	})
}

// Refill decides whether L1 gets an entry that was found in L2.
type Refill uint8

// The refills.
const (
	RefillAlways Refill = iota // the default
	RefillNever
)

// WithRefill decides whether L1 gets an entry that was found in L2, with its
// remaining TTL. Default: [RefillAlways].
func WithRefill(r Refill) Option {
	return optionFunc(func(c config) config {
		c.refill = r
		return c
	})
}

// WithMaxRefillTTL limits the TTL in L1 of entries that L1 gets from L2, also of those
// that never expire there. So an entry that L2 has lost, or whose expiry somebody set to
// the next century, does not stay in L1 for ever. Default: [DefaultMaxRefillTTL]. For 0
// there is no limit.
func WithMaxRefillTTL(ttl time.Duration) Option {
	return optionFunc(func(c config) config {
		c.MaxRefillTTL = ttl
		return c
	})
}

// WithL1TTL limits the TTL of entries in L1, those of Set and those of refills. It
// bounds how long a process may miss the writes of others. Each TTL is shortened by a
// random part of up to jitter (0.1 is a tenth), so that entries that came together do
// not expire together. Default, and for 0: no limit.
func WithL1TTL(ttl time.Duration, jitter float64) Option {
	return optionFunc(func(c config) config {
		c.L1TTL, c.L1Jitter = ttl, jitter
		return c
	})
}

// WithNegativeTTL makes [Cache.GetOrLoad] remember for that long that a loader found
// no value, and ask neither L2 nor the loader again. It is remembered in the process,
// for up to 10,000 keys, apart from values; a write of the key ends it. Default, and
// for 0: nothing is remembered.
func WithNegativeTTL(ttl time.Duration) Option {
	return optionFunc(func(c config) config {
		c.NegativeTTL = ttl
		return c
	})
}

// WithStaleIfError keeps entries in L1 for that long after they have expired, and
// makes [Cache.GetOrLoad] return them when L2 or the loader fails. Default, and for
// 0: no stale values.
func WithStaleIfError(limit time.Duration) Option {
	return optionFunc(func(c config) config {
		c.StaleIfError = limit
		return c
	})
}

// WithStaleIfSlow makes [Cache.GetOrLoad] return a stale value when there is one and the
// load takes longer than that. The load goes on in the background; see
// [WithBackgroundTimeout]. It needs [WithStaleIfError]. Default, and for 0: callers wait
// for the load.
func WithStaleIfSlow(after time.Duration) Option {
	return optionFunc(func(c config) config {
		c.SoftTimeout = after
		return c
	})
}

// WithBackgroundTimeout sets the timeout of loads that nobody waits for: those of
// [WithRefreshAhead], and those whose callers [WithStaleIfSlow] has answered. Close ends
// them too. It must be positive. Default: [DefaultBackgroundTimeout].
func WithBackgroundTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.BackgroundTimeout = d
		return c
	})
}

// WithAsyncLoadWrites makes [Cache.GetOrLoad] return a loaded value before it is written
// to the tiers. Close waits for the write, and callers that come meanwhile share the
// value. Default: the callers wait, so that the next one finds the value in the tiers.
func WithAsyncLoadWrites() Option {
	return optionFunc(func(c config) config {
		c.AsyncLoadWrites = true
		return c
	})
}

// WithMaxLoads limits the loads under way, of different keys. Beyond the limit,
// [Cache.GetOrLoad] returns a stale value, if there is one, or [ErrOverloaded]. Default,
// and for 0: no limit.
func WithMaxLoads(n int) Option {
	return optionFunc(func(c config) config {
		c.MaxLoads = n
		return c
	})
}

// WithNotFound sets a function that reports whether an error of a [Loader] says that
// there is no value, besides those that wrap [ErrNotFound]: for instance
// errors.Is(err, sql.ErrNoRows). GetOrLoad then returns an error that wraps both. It must
// be safe for concurrent use. Default, and for nil: none.
func WithNotFound(isNotFound func(err error) bool) Option {
	return optionFunc(func(c config) config {
		c.NotFound = isNotFound
		return c
	})
}

// WithRefreshAhead makes [Cache.GetOrLoad] load an entry again, in the background,
// when it finds it with less than this part of its TTL left (0.2 is a fifth). There is
// one such load for a key at a time. One that fails is repeated after a second at the
// earliest. One that finds no value deletes the key. See [WithBackgroundTimeout].
// Default, and for 0: an entry is loaded only when it has expired.
func WithRefreshAhead(fraction float64) Option {
	return optionFunc(func(c config) config {
		c.RefreshAhead = fraction
		return c
	})
}

// WithL1HitSpans gives spans and durations to reads that L1 answers. By default they
// are only counted, because they are many and short.
func WithL1HitSpans() Option {
	return optionFunc(func(c config) config {
		c.L1HitSpans = true
		return c
	})
}
