package rueidisbackend

import (
	"github.com/tiercache/tiercache/internal/redislog"
)

// WithLog writes each change into a log beside the values, a stream of Redis. The backend
// is then a [backends.Versioned] and a [backends.Watcher]: values have versions that the
// server issues, writes may have conditions and deadlines, and every process can follow
// the changes of all others. Default: there is no log, and values have no versions.
//
// All writes are scripts, which need Redis 7, or a server with the same commands, and the
// permissions for EVAL, EVALSHA, GET, SET, GETRANGE, XADD, XREAD, XREVRANGE, TIME and INFO.
// Keys are in a space of their own: "v2:{0/1}:" follows the prefix. So a cache that is switched to it begins
// empty, and shares no entries with instances that are not. It shares them with instances
// that use redisbackend with the same options.
//
// It cannot be combined with [WithRawValues].
//
// Do not let the server evict the log: with maxmemory, use a policy volatile-* or
// noeviction. If it is evicted or deleted, a new era begins, and readers are told that
// the old one was lost.
func WithLog() Option {
	return optionFunc(func(c config) config {
		c.log = true
		return c
	})
}

// WithLogPartitions sets into how many parts, each with a log and a reader, the keys are
// divided. In a cluster a part is in one slot, so there should be several times as many
// as masters. All processes must give the same number: the keys contain it, so
// processes with different ones share no entries. It may be 1 to 1024. Default: 1, and 16
// for a cluster. It needs [WithLog].
func WithLogPartitions(n int) Option {
	return optionFunc(func(c config) config {
		c.partitions, c.logOptions = n, true
		if n == 0 {
			c.partitions = -1 // not the default
		}
		return c
	})
}

// WithLogLength sets how many messages a log keeps at least. A reader that was
// disconnected catches up if it missed fewer. A message with a short key takes
// some 70 bytes. The number may be 100 to 100 million. Default: 10,000. It needs [WithLog].
func WithLogLength(messages int) Option {
	return optionFunc(func(c config) config {
		c.logLength, c.logOptions = messages, true
		return c
	})
}

func (c *config) checkLog() []error {
	o := redislog.Options{
		Log: c.log, Given: c.logOptions, Raw: c.raw, Prefix: c.prefix, Partitions: c.partitions, Length: c.logLength,
	}
	return o.Check(ErrBadOption)
}
