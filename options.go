package tiercache

import (
	"context"
	"slices"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// The defaults of the timeouts and of the TTL of refills.
const (
	DefaultWriteTimeout      = 5 * time.Second  // see [WithWriteTimeout]
	DefaultReadTimeout       = 5 * time.Second  // see [WithReadTimeout]
	DefaultBackgroundTimeout = 30 * time.Second // see [WithBackgroundTimeout]
	DefaultMaxRefillTTL      = 24 * time.Hour   // see [WithMaxRefillTTL]
)

// Option configures a [Cache]. A duration of more than a century counts as one.
type Option interface{ apply(config) config }

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithWritePolicy sets the policy by which writes go to the tiers. Default, and for
// nil: [writepolicy.Sequential].
func WithWritePolicy(p writepolicy.Policy) Option {
	return optionFunc(func(c config) config {
		if p != nil {
			c.WritePolicy, c.writePolicy = p, true
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

// WithTelemetry configures spans, metrics and logs. Default: the global providers of OpenTelemetry.
// If it is given several times, all its options apply.
func WithTelemetry(opts ...tracing.Option) Option {
	return optionFunc(func(c config) config {
		c.Telemetry = append(slices.Clip(c.Telemetry), opts...)
		return c
	})
}

// WithWriteTimeout sets the timeout of one write of a tier that is not in-process. It begins with
// that write, and replaces the caller's deadline, which does not end a write once its first tier
// has been touched. It may be up to 1/64 shorter than d, because writes that begin at about the
// same time share a timer. It must be positive. Default: [DefaultWriteTimeout].
//
// With [WithCoherence], a write whose outcome is unknown is repaired when d has passed, and L2
// remembers deleted and expired entries for twice d: a timeout of hours costs it memory.
func WithWriteTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.WriteTimeout = d
		return c
	})
}

// WithReadTimeout sets the timeout of one read of a tier that is not in-process. The caller's own
// deadline holds too. Like that of a write, the timeout may be up to 1/64 shorter than d. It must
// be positive. Default: [DefaultReadTimeout].
func WithReadTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.ReadTimeout = d
		return c
	})
}

// WithClassifier replaces the rule that decides whether an error of a backend's Set or
// Delete means that the write was certainly not applied. A wrong true can hide a
// divergence: in doubt, it must return false. It must be safe for concurrent use.
// Default, and for nil: [backends.CertainlyNotApplied].
func WithClassifier(certainlyNotApplied func(err error) bool) Option {
	return optionFunc(func(c config) config {
		if certainlyNotApplied != nil {
			c.Certain = certainlyNotApplied
		}
		return c
	})
}

// WithInconsistencyHook sets a function that the cache calls for every operation after which the
// tiers may differ, resolved or not. The call comes after the event was emitted and the key was
// unlocked, so the hook may write the key again. It runs before the operation returns, or in the
// goroutine of a detached write; Close waits for it. The context carries the trace. It does not end
// when the caller's context ends or when a policy cancels the call of a tier. It must be safe for
// concurrent use. A panic of the hook goes to OpenTelemetry's error handler. Default, and for nil:
// none.
//
// A hook that writes should pass on its context. While a tier is down, such a write
// causes another inconsistency. It is reported like any other, except to the hook: a
// write whose context descends from a hook's does not call the hook again. GetOrLoad in
// a hook does not share the load that the hook belongs to, and Close in a hook does not
// wait.
func WithInconsistencyHook(hook func(ctx context.Context, i Inconsistency)) Option {
	return optionFunc(func(c config) config {
		c.Hook = hook
		return c
	})
}

// Refill decides whether L1 stores an entry that was found in L2.
type Refill uint8

// The values of Refill.
const (
	RefillAlways Refill = iota // the default
	RefillNever
)

// WithRefill decides whether L1 stores an entry that was found in L2, with its
// remaining TTL. Default: [RefillAlways]. New refuses RefillNever where L1 would never have a value:
// with [writepolicy.WriteAround], unless L2 issues versions or [WithKeepLoaded] is given.
func WithRefill(r Refill) Option {
	return optionFunc(func(c config) config {
		c.refill = r
		return c
	})
}

// WithMaxRefillTTL limits the TTL of refills in L1, even of entries that never expire in L2, so
// that an entry that L2 has lost, or whose expiry is damaged, does not stay in L1 forever. With
// [RefillNever], and without [WithCoherence], it has no effect. Default: [DefaultMaxRefillTTL]. 0
// means no limit.
func WithMaxRefillTTL(ttl time.Duration) Option {
	return optionFunc(func(c config) config {
		c.MaxRefillTTL = ttl
		return c
	})
}

// WithL1TTL limits the TTL of entries in L1, after a Set and after a refill. It bounds
// the time for which a process may serve a value that another process has replaced.
// The limit of each entry is shortened by a random part of up to jitter (0.1 is a
// tenth), so that entries that were stored together do not expire together; a TTL that
// is shorter than its limit stays as it is. Jitter needs a limit: New refuses it with a
// ttl of 0. Default, and for 0: no limit.
func WithL1TTL(ttl time.Duration, jitter float64) Option {
	return optionFunc(func(c config) config {
		c.L1TTL, c.L1Jitter = ttl, jitter
		return c
	})
}

// WithL1HitSpans makes hits in L1 emit spans and durations. By default they are only counted,
// because they are frequent and short. With [readpolicy.Race] and [readpolicy.Parallel], and with an
// L1 outside of the process, every read emits them anyway.
func WithL1HitSpans() Option {
	return optionFunc(func(c config) config {
		c.L1HitSpans = true
		return c
	})
}

// WithDropDiverged makes L1 drop its copy of a key as soon as a write leaves the tiers different,
// or changes neither of them, under every write policy. So L1 keeps no value that L2 or the source
// does not have. If L1 fails to drop it, the cache tries again until it succeeds; see
// [Cache.Status].
//
// With [WithCoherence], the cache loses the value by which it could have repaired L2. Without it,
// nothing more than this drop is safe, because only versions show which tier is newer.
func WithDropDiverged() Option {
	return optionFunc(func(c config) config {
		c.DropDiverged = true
		return c
	})
}

// WithScrubber compares the versions of L1's entries with those of L2 in the background, perSecond
// entries each second, and begins again when it has compared them all. L2 sends no value where the
// versions are equal. The metric tiercache.scrub.checks counts the results; L1 drops a copy that it
// should not have. It needs [WithCoherence], and costs L2 one read for each entry. The rate must be
// positive. An L2 that is in this process alone is not compared, because no other process writes to
// it. By default nothing is compared.
func WithScrubber(perSecond int) Option {
	return optionFunc(func(c config) config {
		c.ScrubRate = perSecond
		c.scrubs = true
		return c
	})
}
