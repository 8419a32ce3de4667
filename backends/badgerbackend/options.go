package badgerbackend

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// defaultGCInterval is stated in the docs of Open and WithGCInterval.
const defaultGCInterval = 10 * time.Minute

// maxPrefixSize is stated in the doc of WithKeyPrefix.
const maxPrefixSize = 1 << 10

// Option configures a Backend that [Open], [OpenInMemory] or [New] makes.
type Option interface{ apply(c config) config }

type config struct {
	prefix       string
	minFreeSpace uint64
	freeSpace    func(dir string) (uint64, error)

	// The fields below are for stores that this package opens. Set has the names of the
	// options that were used of it.
	logger     *slog.Logger
	syncWrites bool
	gcInterval time.Duration
	exposed    bool
	tune       []func(badger.Options) badger.Options
	set        []string
}

func newConfig(opts []Option) config {
	c := config{
		minFreeSpace: defaultMinFreeSpace,
		freeSpace:    freeSpace,
		logger:       slog.New(slog.DiscardHandler),
		gcInterval:   defaultGCInterval,
	}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

// validate returns an error that joins one for each bad value. Brought says that
// the store was opened by the caller.
func (c config) validate(brought bool) error {
	var errs []error
	if len(c.prefix) > maxPrefixSize {
		errs = append(errs, fmt.Errorf("%w: the key prefix has %d bytes: use at most %d",
			ErrBadOption, len(c.prefix), maxPrefixSize))
	}
	if c.gcInterval < 0 {
		errs = append(errs, fmt.Errorf("%w: the interval of the garbage collection is %v: "+
			"it must not be negative, and 0 turns it off", ErrBadOption, c.gcInterval))
	}
	if brought && len(c.set) > 0 {
		errs = append(errs, fmt.Errorf("%w: %s cannot change a store that is open already: "+
			"set it where you open the store, or use Open", ErrBadOption, strings.Join(c.set, ", ")))
	}
	return errors.Join(errs...)
}

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

// opening returns an option for stores that this package opens.
func opening(name string, apply func(c config) config) Option {
	return optionFunc(func(c config) config {
		c = apply(c)
		c.set = append(slices.Clip(c.set), name)
		return c
	})
}

// WithKeyPrefix puts prefix in front of every key, to separate the caches that share
// one store. Without it, two caches on one store read and overwrite each other's
// values, without an error. End it with a separator: "a" and "bc" make the same key as
// "ab" and "c". It must not be longer than 1 KiB. Default: none.
func WithKeyPrefix(prefix string) Option {
	return optionFunc(func(c config) config {
		c.prefix = prefix
		return c
	})
}

// WithMinFreeSpace makes the store refuse writes, with a [*NoSpaceError], while the
// disk has fewer free bytes. Deletes, the garbage collection of the value log, and Open
// are refused below half of it. Default: 256 MiB, which is more than badger needs at a
// time with the options of [Open]. With 0 nothing is refused. It has no effect in
// memory, and on systems other than Linux, macOS, FreeBSD and Windows.
//
// Badger does not survive a full disk. It maps its files into memory, and the
// system ends a process that writes to a mapped page for which the disk has no
// block (SIGBUS on Unix). No program in Go can prevent that for the goroutines of
// a library. It happens in the background, long after the write that was one too
// many.
//
// The free space is looked up at most every 250 milliseconds, and after a 16th of
// the minimum was written. So the reserve must cover two things: the bytes that
// other programs write to the disk in that time, and those that badger writes
// later, to logs, tables and compactions. Where others may fill the disk faster,
// give the store a disk of its own, or a larger reserve. Raise it together with
// the sizes in [WithBadgerOptions].
func WithMinFreeSpace(bytes uint64) Option {
	return optionFunc(func(c config) config {
		c.minFreeSpace = bytes
		return c
	})
}

// WithLogger makes badger log to logger, at its own levels. Some of its messages
// quote keys, readable or in hexadecimal. Default, and with nil: badger is
// silent.
func WithLogger(logger *slog.Logger) Option {
	if logger == nil {
		return nil
	}
	return opening("WithLogger", func(c config) config {
		c.logger = logger
		return c
	})
}

// WithSyncWrites makes every write wait until the disk has it, which costs
// milliseconds. Default: false, where writes survive the end of the process,
// however sudden, but the last ones may be lost when the machine fails. It has
// no effect in memory.
func WithSyncWrites(sync bool) Option {
	return opening("WithSyncWrites", func(c config) config {
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
	return opening("WithGCInterval", func(c config) config {
		c.gcInterval = interval
		return c
	})
}

// WithPermissionCheck says whether Open sees to it that only the owner of the
// store's files can read them. Badger makes them with the mode 0666 less the umask,
// which usually lets everybody read them. Default: true. It has no effect outside
// of Unix, in memory, and on a store that is opened for reading only.
//
// With the check, Open takes all rights of the group and of others away: the mode
// of the folder becomes 0700, and that of the files in it 0600. Open fails with
// [ErrExposed] where it cannot do that, and where a folder that lets in others
// also has other things in it. Files that badger makes later get 0600 when the
// store is closed, or opened the next time; until then the folder keeps others
// out. Access lists and parent folders are not looked at.
//
// Without the check, folder and files keep the modes that they have, for instance
// because a group is to read them.
func WithPermissionCheck(check bool) Option {
	return opening("WithPermissionCheck", func(c config) config {
		c.exposed = !check
		return c
	})
}

// WithBadgerOptions lets tune change badger's options, for instance to give it more
// memory or to make it compress. It is given the defaults of this package, see [Open],
// and is called once, when the store is opened. Dir and InMemory stay as they are,
// whatever it returns. A nil function changes nothing; several are called in the order
// of the options.
//
// Compression needs a BlockCacheSize, and encryption an IndexCacheSize as well.
//
// With a ValueThreshold of 1 KiB, say, larger values are written once, into the
// value log, instead of again and again by compactions. That halves the time of
// writes and takes a tenth of the memory. The price is disk: badger learns of
// garbage there only when it compacts the keys, after hundreds of thousands of
// writes.
func WithBadgerOptions(tune func(opts badger.Options) badger.Options) Option {
	if tune == nil {
		return nil
	}
	return opening("WithBadgerOptions", func(c config) config {
		c.tune = append(slices.Clip(c.tune), tune)
		return c
	})
}
