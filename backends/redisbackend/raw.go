package redisbackend

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// readRaw asks for a value and the rest of the key's TTL at one instant, so that
// both are of the same entry. It is no transaction, because go-redis leaves
// replies unread on a connection on which MULTI is refused, where the next call
// could take them for its own.
const readRaw = `local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' and value.err then return value end
return {value, redis.pcall('PTTL', KEYS[1])}`

var errOddReply = errors.New("the server's reply is not that of the script")

// getRaw takes the time before it asks, so that the entry does not outlive the
// key.
func (b *Backend) getRaw(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	now := b.now()
	reply, err := b.client.Eval(ctx, readRaw, []string{key}).Slice()
	if err != nil {
		return backends.Entry[[]byte]{}, false, b.readFailed(ctx, err)
	}
	return rawReply(reply, now)
}

// rawReply reads the reply of the script.
func rawReply(reply any, now time.Time) (entry backends.Entry[[]byte], ok bool, err error) {
	if array, isArray := reply.([]any); isArray && len(array) == 2 {
		if array[0] == nil {
			return backends.Entry[[]byte]{}, false, nil
		}
		value, isString := array[0].(string)
		rest, isInt := array[1].(int64)
		if isString && isInt {
			return rawEntry(value, rest, now), true, nil
		}
	}
	return backends.Entry[[]byte]{}, false, &Error{Op: "get", Err: errOddReply}
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
