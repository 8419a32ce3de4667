package redislog

import (
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// ReadCall returns the call that reads a value whose version is not have. Without a log,
// and for a version of another era than that of the log, a GET does.
func (l *Log) ReadCall(p *Partition, key string, have backends.Version) Call {
	return Call{l.scripts.read, 1, []string{p.Prefix + key, bigEndian(uint64(have))}}
}

// ReadReply returns the bytes in the reply to [Log.ReadCall], or [ErrOddReply]. HeaderOnly
// says that the version is the one that the caller has.
func ReadReply(reply any) (data string, headerOnly bool, err error) {
	if array, ok := reply.([]any); ok && len(array) == 1 {
		reply, headerOnly = array[0], true
	}
	data, ok := reply.(string)
	if !ok {
		return "", false, ErrOddReply
	}
	return data, headerOnly, nil
}

// RawScript asks for a value and the rest of the key's TTL at one instant, so that
// both are of the same entry. It is no transaction, because clients leave
// replies unread on a connection on which MULTI is refused, where the next call
// could take them for its own.
const RawScript = `local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' and value.err then return value end
return {value, redis.pcall('PTTL', KEYS[1])}`

// RawReply reads the reply to [RawScript], which was asked for at the instant begin, so that
// the entry does not outlive the key. The error is [ErrOddReply].
func RawReply(reply any, begin time.Time) (entry backends.Entry[[]byte], ok bool, err error) {
	if array, isArray := reply.([]any); isArray && len(array) == 2 {
		if array[0] == nil {
			return backends.Entry[[]byte]{}, false, nil
		}
		value, isString := array[0].(string)
		rest, isInt := array[1].(int64)
		if isString && isInt {
			return rawEntry(value, rest, begin), true, nil
		}
	}
	return backends.Entry[[]byte]{}, false, ErrOddReply
}

func rawEntry(value string, rest int64, now time.Time) backends.Entry[[]byte] {
	entry := backends.Entry[[]byte]{Value: []byte(value)}
	if rest >= 0 { // -1: it has no end
		entry.ExpiresAt = now.Add(ttlOf(rest))
	}
	return entry
}

// ttlOf turns the milliseconds of the server into a duration that does not
// overflow.
func ttlOf(ms int64) time.Duration {
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}
