package tiercache

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/internal/engine"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/writepolicy"
)

// config is what the options of a cache make.
type config struct {
	engine.Config
	refill      Refill
	writePolicy bool // was chosen
	scrubs      bool
}

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

// validate returns the error of the first option that is wrong.
func (c config) validate() error {
	return cmp.Or(
		positive("write", "write", c.WriteTimeout),
		positive("read", "read", c.ReadTimeout),
		positive("background", "load", c.BackgroundTimeout),
		c.validateLoads(),
		c.validatePolicies(),
		c.validateRepairs(),
		notNegative("WithL1TTL", c.L1TTL),
		notNegative("WithNegativeTTL", c.NegativeTTL),
		notNegative("WithStaleIfError", c.StaleIfError),
		notNegative("WithStaleIfSlow", c.SoftTimeout),
		notNegative("WithMaxRefillTTL", c.MaxRefillTTL),
		notNegative("WithKeepLoaded", c.KeepLoaded),
		fraction("WithL1TTL's jitter", c.L1Jitter),
		c.validateJitter(),
		fraction("WithRefreshAhead", c.RefreshAhead),
	)
}

func (c config) validateJitter() error {
	if c.L1TTL > 0 || c.L1Jitter == 0 {
		return nil
	}
	return fmt.Errorf("%w: WithL1TTL(0, %v): the jitter shortens a limit, and there is none: give a TTL, or a jitter of 0", ErrInvalid, c.L1Jitter)
}

func (c config) validateLoads() error {
	if c.SoftTimeout > 0 && c.StaleIfError == 0 {
		return fmt.Errorf("%w: WithStaleIfSlow(%v) needs WithStaleIfError, which keeps the stale values", ErrInvalid, c.SoftTimeout)
	}
	if c.KeepLoaded > 0 && builtin.OnL1(c.WritePolicy) == builtin.Stores && !c.ConditionalLoads && c.SourceVersion == nil {
		return fmt.Errorf("%w: WithKeepLoaded(%v) would do nothing: the write policy %s itself stores a loaded value in L1, "+
			"whether L2 takes it or not: leave the option out, or write L2 first, for instance by writepolicy.Sequential(writepolicy.L2First)",
			ErrInvalid, c.KeepLoaded, writepolicy.NameOf(c.WritePolicy))
	}
	if c.MaxLoads < 0 {
		return fmt.Errorf("%w: WithMaxLoads(%d) is negative: use 0 for no limit", ErrInvalid, c.MaxLoads)
	}
	return nil
}

func (c config) validateRepairs() error {
	switch {
	case c.DropDiverged && c.KeepLoaded > 0:
		return fmt.Errorf("%w: WithDropDiverged makes L1 drop the values that WithKeepLoaded(%v) keeps there: use one of them", ErrInvalid, c.KeepLoaded)
	case !c.scrubs:
		return nil
	case c.ScrubRate <= 0:
		return fmt.Errorf("%w: WithScrubber(%d): the rate must be positive; leave the option out to compare nothing", ErrInvalid, c.ScrubRate)
	case !c.Coherence.On:
		return fmt.Errorf("%w: WithScrubber compares versions, which only WithCoherence keeps in L1: use both", ErrInvalid)
	default:
		return nil
	}
}

func (c config) validatePolicies() error {
	if err := engine.Validate(c.WritePolicy); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if c.SourceVersion != nil && (c.writePolicy || c.ReadPolicy.Plan().Concurrent) {
		return fmt.Errorf("%w: with WithSourceVersion, L2 decides each write: choose no write policy, and only sequential reads", ErrInvalid)
	}
	if c.refill > RefillNever {
		return fmt.Errorf("%w: WithRefill(%d): use RefillAlways or RefillNever", ErrInvalid, c.refill)
	}
	return nil
}

// positive returns the error of a timeout that would let a call go on for ever.
func positive(timeout, call string, d time.Duration) error {
	if d > 0 {
		return nil
	}
	return fmt.Errorf("%w: the %s timeout is %v: it must be positive, so that every %s ends", ErrInvalid, timeout, d, call)
}

func notNegative(option string, d time.Duration) error {
	if d >= 0 {
		return nil
	}
	return fmt.Errorf("%w: %s(%v) is negative: use 0 to turn it off", ErrInvalid, option, d)
}

func fraction(option string, v float64) error {
	if v >= 0 && v < 1 { // which NaN is not
		return nil
	}
	return fmt.Errorf("%w: %s is %v: it must be at least 0 and less than 1", ErrInvalid, option, v)
}
