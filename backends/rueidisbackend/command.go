package rueidisbackend

import (
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/redislog"
)

// All commands are made as ones that rueidis does not repeat by itself. Of a write, its
// error would say nothing about the attempts before; of a read, it would go on until the
// context ends.

// change is a write without a version that is ready to be sent.
type change struct {
	key       string // with its prefix
	data      string // with its header
	expiresAt int64  // as expiry.Encode returns it
	remove    bool
}

// command returns the command that makes the change now: the longer it has waited, the
// shorter is the remaining TTL.
func (c *change) command(b rueidis.Builder, now time.Time) rueidis.Completed {
	ttl := time.Duration(0)
	if !c.remove && c.expiresAt != expiry.Never {
		ttl = time.Duration(c.expiresAt - max(0, now.UnixNano()))
	}
	switch {
	case c.remove, ttl < 0, ttl == 0 && c.expiresAt != expiry.Never:
		return b.Del().Key(c.key).Build()
	case ttl == 0:
		return b.Set().Key(c.key).Value(c.data).Build()
	default:
		return b.Set().Key(c.key).Value(c.data).PxMilliseconds(redislog.Milliseconds(ttl)).Build()
	}
}

// newGet returns a GET of a key with its prefix, or an MGET of several.
func newGet(b rueidis.Builder, keys ...string) rueidis.Completed {
	if len(keys) == 1 {
		return b.Arbitrary("GET").Keys(keys...).Build()
	}
	return b.Arbitrary("MGET").Keys(keys...).Build()
}

func newRawGet(b rueidis.Builder, key string) rueidis.Completed {
	return b.Arbitrary("EVAL", redislog.RawScript, "1").Keys(key).Build()
}

// newEval returns an EVALSHA of a script, or an EVAL, which gives the server the script.
func newEval(b rueidis.Builder, call redislog.Call, load bool) rueidis.Completed {
	name, what := "EVALSHA", call.Script.SHA
	if load {
		name, what = "EVAL", call.Script.Source
	}
	return b.Arbitrary(name, what, strconv.Itoa(call.Keys)).
		Keys(call.Words[:call.Keys]...).Args(call.Words[call.Keys:]...).Build()
}

// plain turns a reply that is no error into strings, integers, nil, and arrays of them.
func plain(m rueidis.RedisMessage) any {
	switch {
	case m.IsString():
		text, _ := m.ToString()
		return text
	case m.IsInt64():
		n, _ := m.ToInt64()
		return n
	case m.IsArray():
		values, _ := m.ToArray()
		array := make([]any, len(values))
		for i := range values {
			array[i] = plain(values[i])
		}
		return array
	default:
		return nil
	}
}
