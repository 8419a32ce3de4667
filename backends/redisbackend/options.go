package redisbackend

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
	staleReads   bool
	raw          bool
	instrumented bool
	now          func() time.Time
	retries      int
	hasRetries   bool
	log          bool
	partitions   int
	logLength    int
	logOptions   bool // an option of the log is given
}

func newConfig(opts []Option) (config, error) {
	c := config{now: time.Now, logLength: redislog.DefaultLength}
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
// may decode those without an error: JSON of a user is a valid order all of whose
// fields are zero. Change the prefix when the type changes in a way that its codec does
// not understand.
//
// End it with a separator: "a" and "bc" make the same key as "ab" and "c".
// A prefix that contains {...} puts all keys of a cluster into one slot.
func WithKeyPrefix(prefix string) Option {
	return optionFunc(func(c config) config {
		c.prefix, c.hasPrefix = prefix, true
		return c
	})
}

// WithoutKeyPrefix stores keys as they are. Use it if nothing else uses the
// database, or if the keys have prefixes already. It cannot be combined with
// [WithKeyPrefix], whose doc describes the danger.
func WithoutKeyPrefix() Option {
	return optionFunc(func(c config) config {
		c.noPrefix = true
		return c
	})
}

// WithStaleReads allows a client that reads from replicas: one of a cluster, or of
// a master with sentinels, with ReadOnly, RouteByLatency, RouteRandomly or
// ReplicaOnly. Default: [New] returns [ErrReplicaReads] for it.
//
// A replica lags behind its master, without a bound while it is cut off. A Get may then
// return a value that a Set or Delete has replaced, even after it returned nil, and L1
// keeps that value until it expires. No inconsistency is reported for it.
//
// New cannot see ReplicaOnly in a client of redis.NewFailoverClient. Such a client
// is of no use here: its writes are refused with READONLY.
func WithStaleReads() Option {
	return optionFunc(func(c config) config {
		c.staleReads = true
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
// because redisotel was attached to it. The spans of its tier then stay internal, so
// that a call is described once. go-redis does not report whether it does. Default: the
// client emits none.
func WithInstrumentedClient() Option {
	return optionFunc(func(c config) config {
		c.instrumented = true
		return c
	})
}

// WithWriteRetries sets how often Set and Delete repeat an attempt that failed in a way
// that may pass. It must not be negative; 0 turns it off, which suits a decorator that
// retries. Default: that of the client's options, MaxRetries or, of a cluster,
// MaxRedirects, which both are 3 by default in go-redis; and 0 for a client that is
// none of go-redis's own.
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
