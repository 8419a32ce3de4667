package redisbackend

import (
	"errors"
	"fmt"
	"time"
)

// Option configures a [Backend].
type Option interface{ apply(c config) config }

type config struct {
	prefix       string
	raw          bool
	instrumented bool
	now          func() time.Time
	retries      int
	hasRetries   bool
}

func newConfig(opts []Option) (config, error) {
	c := config{now: time.Now}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	var errs []error
	if c.retries < 0 {
		errs = append(errs, fmt.Errorf("%w: the number of retries is %d: it must not be negative", ErrBadOption, c.retries))
	}
	if len(c.prefix) > maxPrefixSize {
		errs = append(errs, fmt.Errorf("%w: the key prefix has %d bytes: it may have %d", ErrBadOption, len(c.prefix), maxPrefixSize))
	}
	return c, errors.Join(errs...)
}

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithKeyPrefix puts prefix in front of every key, to keep what several users of
// a server store apart. End it with a separator: "a" and "bc" make the same key
// as "ab" and "c". A prefix that contains {...} puts all keys of a cluster into
// one slot. It must not be longer than 1 KiB. Default: none.
func WithKeyPrefix(prefix string) Option {
	return optionFunc(func(c config) config {
		c.prefix = prefix
		return c
	})
}

// WithRawValues stores values as they are, without a header, so that other
// programs can read and write them. Default: values have a header.
//
// The expiry is then the key's own. Set rounds it up to milliseconds. Get asks
// for the value and the rest of the key's life by a script of two lines (EVAL),
// which is one round trip, and adds that rest to the time at which it asked: what
// it returns is earlier than the truth by up to one trip to the server and a
// millisecond. The user of the connection needs the permission for EVAL, GET and
// PTTL.
func WithRawValues() Option {
	return optionFunc(func(c config) config {
		c.raw = true
		return c
	})
}

// WithInstrumentedClient says that the client emits spans of its own, for
// instance because redisotel was attached to it. The spans of its tier then stay
// internal, so that a call is described once. go-redis does not tell whether it
// does. Default: it does not.
func WithInstrumentedClient() Option {
	return optionFunc(func(c config) config {
		c.instrumented = true
		return c
	})
}

// WithWriteRetries sets how often Set and Delete repeat an attempt that failed
// in a way that may pass. It must not be negative; 0 turns it off, which suits a
// decorator that retries. Default: what the client's options say, MaxRetries or,
// of a cluster, MaxRedirects, which both are 3 by default in go-redis; and 0 for
// a client that is none of go-redis's own.
func WithWriteRetries(retries int) Option {
	return optionFunc(func(c config) config {
		c.retries, c.hasRetries = retries, true
		return c
	})
}

// WithClock sets where the current time comes from, by which entries expire. It
// must be safe for concurrent use. Default, and with nil: time.Now.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c config) config {
		if now != nil {
			c.now = now
		}
		return c
	})
}
