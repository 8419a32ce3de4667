package rueidisbackend

import (
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/internal/redislog"
)

// Option configures a [Backend].
type Option interface{ apply(c config) config }

type config struct {
	prefix       string
	hasPrefix    bool
	noPrefix     bool
	raw          bool
	instrumented bool
	now          func() time.Time
	retries      int
	log          bool
	partitions   int
	logLength    int
	logOptions   bool // an option of the log is given
}

// defaultRetries is how often a call is repeated unless an option says otherwise.
const defaultRetries = 3

func newConfig(opts []Option) (config, error) {
	c := config{now: time.Now, retries: defaultRetries, logLength: redislog.DefaultLength}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	var errs []error
	if c.retries < 0 {
		errs = append(errs, fmt.Errorf("%w: the number of retries is %d: it must not be negative", ErrBadOption, c.retries))
	}
	switch {
	case c.hasPrefix && c.noPrefix:
		errs = append(errs, fmt.Errorf("%w: both WithKeyPrefix and WithoutKeyPrefix are used: choose one of them", ErrBadOption))
	case c.hasPrefix && c.prefix == "":
		errs = append(errs, fmt.Errorf("%w: the key prefix is empty: give one, or use WithoutKeyPrefix", ErrBadOption))
	case !c.hasPrefix && !c.noPrefix:
		errs = append(errs, ErrNoKeyPrefix)
	}
	return c, errors.Join(append(errs, c.checkLog()...)...)
}

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithKeyPrefix puts prefix in front of every key. It must not be empty or longer
// than 1 KiB.
//
// Give each type of value, and each service, a prefix of its own, for instance
// "shop:user:". The header in front of a value does not contain its type. So two
// backends with the same prefix, or with none, read each other's values, and a codec
// may decode those without an error. Change the prefix when the type changes in a way that
// its codec does not understand.
//
// End it with a separator: "a" and "bc" make the same key as "ab" and "c".
// A prefix that contains {...} puts all keys of a cluster into one slot.
func WithKeyPrefix(prefix string) Option {
	return optionFunc(func(c config) config {
		c.prefix, c.hasPrefix = prefix, true
		return c
	})
}

// WithoutKeyPrefix stores keys as they are, for a database that only this backend uses.
// See [WithKeyPrefix] for what happens if another one uses it too.
func WithoutKeyPrefix() Option {
	return optionFunc(func(c config) config {
		c.noPrefix = true
		return c
	})
}

// WithRawValues stores values as they are, without a header, so that other
// programs can read and write them. Default: values have a header.
//
// The expiry is then the key's own. Set rounds it up to milliseconds. Get asks for the
// value and the rest of the key's TTL by a script of two lines (EVAL), which is one
// round trip, and adds that rest to the time of the request: the expiry that it returns
// is early by up to one trip to the server and a millisecond. The user of the
// connection needs the permission for EVAL, GET and PTTL.
func WithRawValues() Option {
	return optionFunc(func(c config) config {
		c.raw = true
		return c
	})
}

// WithInstrumentedClient says that the client emits spans of its own, for instance
// because it was made by rueidisotel. The spans of its tier then stay internal, so
// that a call is described once. Default: the client emits none.
func WithInstrumentedClient() Option {
	return optionFunc(func(c config) config {
		c.instrumented = true
		return c
	})
}

// WithRetries sets how often a call repeats an attempt that failed in a way that may pass:
// of a read, and of a write that was certainly not applied. It must not be negative; 0
// turns it off, which suits a decorator that retries. Default: 3. Pauses between attempts
// are random, 8 ms to 0.5 s.
//
// The retries of rueidis itself are not used, whatever DisableRetry says: they have no
// number, and end only with the context.
func WithRetries(retries int) Option {
	return optionFunc(func(c config) config {
		c.retries = retries
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
