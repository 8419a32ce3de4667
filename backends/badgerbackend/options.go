package badgerbackend

import (
	"log/slog"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// defaultGCInterval is stated in the docs of Open and WithGCInterval.
const defaultGCInterval = 10 * time.Minute

// Option configures a store that [Open] or [OpenInMemory] opens.
type Option interface{ apply(c config) config }

type config struct {
	logger     *slog.Logger
	syncWrites bool
	gcInterval time.Duration
	tune       []func(badger.Options) badger.Options
}

func newConfig(opts []Option) config {
	c := config{logger: slog.New(slog.DiscardHandler), gcInterval: defaultGCInterval}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithLogger makes badger log to logger, at its own levels. Some of its messages
// quote keys, readable or in hexadecimal. Default, and with nil: badger is
// silent.
func WithLogger(logger *slog.Logger) Option {
	return optionFunc(func(c config) config {
		if logger != nil {
			c.logger = logger
		}
		return c
	})
}

// WithSyncWrites makes every write wait until the disk has it, which costs
// milliseconds. Default: false, where writes survive the end of the process,
// however sudden, but the last ones may be lost when the machine fails. It has
// no effect in memory.
func WithSyncWrites(sync bool) Option {
	return optionFunc(func(c config) config {
		c.syncWrites = sync
		return c
	})
}

// WithGCInterval sets how often the value log is searched for files of which
// more than half is garbage, to rewrite them. It must not be negative; 0 turns
// it off. Default: 10 minutes. It has no effect in memory and on a store that is
// opened for reading only.
//
// Only values of at least badger's ValueThreshold, 1 MiB by default, are in the
// value log. Smaller ones that were replaced, deleted or have expired are
// dropped by badger's compactions.
func WithGCInterval(interval time.Duration) Option {
	return optionFunc(func(c config) config {
		c.gcInterval = interval
		return c
	})
}

// WithBadgerOptions lets tune change what badger is opened with, for instance to
// give it more memory or to make it compress. It is given the defaults of this
// package, see [Open], and is called once, when the store is opened. Dir and
// InMemory stay as they are, whatever it returns. A nil function changes
// nothing; several are called in the order of the options.
//
// Compression needs a BlockCacheSize, and encryption an IndexCacheSize as well.
//
// With a ValueThreshold of 1 KiB, say, larger values are written once, into the
// value log, instead of again and again by compactions. That halves the time of
// writes and takes a tenth of the memory. The price is disk: badger learns of
// garbage there only when it compacts the keys, after hundreds of thousands of
// writes.
func WithBadgerOptions(tune func(opts badger.Options) badger.Options) Option {
	return optionFunc(func(c config) config {
		if tune != nil {
			c.tune = append(slices.Clip(c.tune), tune)
		}
		return c
	})
}
