package tiercache

import (
	"fmt"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
)

// Refill says whether L1 gets what was found in L2.
type Refill uint8

// The refills.
const (
	RefillAlways Refill = iota // the default
	RefillNever
)

// readConfig is what the options say about reads.
type readConfig struct {
	reads        readpolicy.Policy
	refill       Refill
	l1TTL        time.Duration
	l1Jitter     float64
	negativeTTL  time.Duration
	staleIfError time.Duration
	refreshAhead float64
	traceL1Hits  bool
}

func (c readConfig) validate() error {
	for _, d := range []struct {
		name string
		time.Duration
	}{{"WithL1TTL", c.l1TTL}, {"WithNegativeTTL", c.negativeTTL}, {"WithStaleIfError", c.staleIfError}} {
		if d.Duration < 0 {
			return fmt.Errorf("%w: %s(%v) is negative: use 0 to turn it off", ErrInvalid, d.name, d.Duration)
		}
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"WithL1TTL's jitter", c.l1Jitter}, {"WithRefreshAhead", c.refreshAhead}} {
		if !(f.v >= 0 && f.v < 1) { // which NaN is not either
			return fmt.Errorf("%w: %s is %v: it must be at least 0 and less than 1", ErrInvalid, f.name, f.v)
		}
	}
	if c.refill > RefillNever {
		return fmt.Errorf("%w: WithRefill(%d): use RefillAlways or RefillNever", ErrInvalid, c.refill)
	}
	return nil
}

// WithReadPolicy sets the policy by which the tiers are asked. Default, and for
// nil: [readpolicy.Sequential].
func WithReadPolicy(p readpolicy.Policy) Option {
	return optionFunc(func(c config) config {
		if p != nil {
			c.reads = p
		}
		return c
	})
}

// WithRefill says whether L1 gets what was found in L2, with its remaining life.
// Default: [RefillAlways].
func WithRefill(r Refill) Option {
	return optionFunc(func(c config) config {
		c.refill = r
		return c
	})
}

// WithL1TTL limits the life of entries in L1, those of Set and those of refills.
// It bounds how long a process may miss what others have written. Each life is
// shortened by a random part of up to jitter (0.1 is a tenth), so that entries
// that came together do not leave together. Default, and for 0: no limit.
func WithL1TTL(ttl time.Duration, jitter float64) Option {
	return optionFunc(func(c config) config {
		c.l1TTL, c.l1Jitter = ttl, jitter
		return c
	})
}

// WithNegativeTTL makes [Cache.GetOrLoad] remember for that long that a loader
// found nothing, and not ask L2 and the loader again. It is remembered in the
// process, for up to 10,000 keys, apart from values; a write of the key ends it.
// Default, and for 0: nothing is remembered.
func WithNegativeTTL(ttl time.Duration) Option {
	return optionFunc(func(c config) config {
		c.negativeTTL = ttl
		return c
	})
}

// WithStaleIfError keeps entries in L1 for that long after their life has ended,
// and makes [Cache.GetOrLoad] return them when nothing better can be had because
// L2 or the loader fails. Default, and for 0: no stale values.
func WithStaleIfError(limit time.Duration) Option {
	return optionFunc(func(c config) config {
		c.staleIfError = limit
		return c
	})
}

// WithRefreshAhead makes [Cache.GetOrLoad] load an entry anew, in the background,
// when it finds it in L1 with less than this part of its life left (0.2 is a
// fifth). There is one such load for a key at a time, and Close waits for it.
// Default, and for 0: entries are loaded when they are gone.
func WithRefreshAhead(fraction float64) Option {
	return optionFunc(func(c config) config {
		c.refreshAhead = fraction
		return c
	})
}

// WithL1HitSpans makes reads that are answered by L1 have spans, too, and be
// measured. By default they are only counted, because they are many and short.
func WithL1HitSpans() Option {
	return optionFunc(func(c config) config {
		c.traceL1Hits = true
		return c
	})
}
