package redisbackend

import (
	"context"
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/header"
	"github.com/tiercache/tiercache/tier"
)

// logged is a write with a version that is ready to be sent.
type logged struct {
	part   *partition
	key    string
	remove bool
	cond   backends.Condition
	before string // microseconds of the server's clock; "": no deadline
	keep   time.Duration
	data   []byte // header and value, the version left out as 0
	head   header.Header
}

// prepare checks a write against the limits and makes it ready.
func (b *Backend) prepare(w *backends.Write[[]byte]) (*logged, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	if err := b.checkKey(w.Key); err != nil {
		return nil, err
	}
	c := &logged{
		part: partitionOf(b.log.partitions, w.Key), key: w.Key, remove: w.Kind == tier.Delete,
		cond: w.If, keep: w.Keep,
		head: header.Header{Codec: w.Codec, Source: w.Source, Operation: w.Operation, Note: w.Note},
	}
	if c.keep == 0 {
		c.keep = backends.DefaultKeep
	}
	if !w.Before.IsZero() {
		c.before = strconv.FormatInt(max(1, w.Before.UnixMicro()), 10)
	}
	if !c.remove {
		if err := b.checkValue(w.Entry.Value); err != nil {
			return nil, err
		}
		c.head.ExpiresAt = expiry.Encode(w.Entry.ExpiresAt)
		c.data = c.head.Encode(w.Entry.Value)
	}
	return c, nil
}

// op is the operation's name in errors.
func (c *logged) op() string {
	if c.remove {
		return "delete"
	}
	return "set"
}

// looks reports whether the store must look at the stored header before it writes.
func (c *logged) looks(remove bool) bool {
	return remove || c.head.Source != 0 || c.cond.Test != backends.TestAlways
}

// command returns the command that makes the write now: the longer it has waited, the
// shorter is the remaining TTL. A set of an entry that has expired is a delete.
func (c *logged) command(ctx context.Context, s *scripts, at *place, load bool, now time.Time) *command {
	nanos := max(1, now.UnixNano())
	ttl, data, remove := "", c.data, c.remove
	switch left := c.head.ExpiresAt - nanos; {
	case !remove && c.head.ExpiresAt == expiry.Never:
	case !remove && left > 0:
		ttl = strconv.FormatInt(milliseconds(time.Duration(left))+milliseconds(c.keep), 10)
	default:
		remove = true
		ttl = strconv.FormatInt(max(1, milliseconds(c.keep)), 10)
		data = c.tombstone(nanos)
	}
	kind := messageSet
	if remove {
		kind = messageDelete
	}
	meta := messageMeta(kind, c.head.Operation, c.head.Note)
	p := c.part
	if !c.looks(remove) {
		return newEval(ctx, s.set, load, "3", p.prefix+c.key, &p.log, &p.mark,
			&at.text, &at.id, &at.high, &c.before, &c.key, meta,
			data[:header.VersionAt], data[header.SourceAt:], ttl)
	}
	return newEval(ctx, s.change, load, "3", p.prefix+c.key, &p.log, &p.mark,
		&at.text, &at.id, &at.high, &c.before, &c.key, meta,
		data[:header.VersionAt], data[header.OperationAt:], ttl,
		tests[c.cond.Test], bigEndian(uint64(c.cond.Version)), data[header.SourceAt:header.OperationAt],
		string(rune(kind)), bigEndian(uint64(nanos)))
}

// tombstone returns the header that stays in place of a deleted entry.
func (c *logged) tombstone(nanos int64) []byte {
	h := c.head
	h.Tombstone = true
	h.ExpiresAt = nanos + min(int64(c.keep), math.MaxInt64-nanos)
	return h.Encode(nil)
}

// tests are the names of the tests in the script.
var tests = [...]string{
	backends.TestAlways: "", backends.TestAbsent: "a", backends.TestIs: "i", backends.TestNotNewer: "n",
}

func bigEndian(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// errForeign is the error of a write whose condition cannot be decided.
func errForeign() error {
	return backends.NotApplied(damaged("of an unknown format, so that no condition can be compared with them"))
}

// parse reads the reply to the command. Moved says that the log is another than at: the
// write was not applied. At is nil in replies without a time.
func (c *logged) parse(reply string) (result backends.Result, at time.Time, moved bool, err error) {
	if reply == "" {
		return result, at, false, errOddReply
	}
	code, rest := reply[0], reply[1:]
	switch {
	case code == 'v' && len(rest) > 8:
		result = backends.Result{Version: versionIn(rest), Source: c.head.Source}
		at = storeTimeIn(rest[8:])
	case code == 'w' && len(rest) > 16:
		result = backends.Result{Version: versionIn(rest), Source: uint64(versionIn(rest[8:]))}
		at = storeTimeIn(rest[16:])
	case reply == "m":
		return result, at, true, nil
	case reply == "f":
		return result, at, false, errForeign()
	case code == 'l':
		result = refusedBy(backends.RefusedLate, rest)
	case code == 'c':
		result = refusedBy(backends.RefusedCondition, rest)
	case code == 's':
		result = refusedBy(backends.RefusedSource, rest)
	default:
		return result, at, false, errOddReply
	}
	c.part.see(result.Version)
	return result, at, false, nil
}

// refusedBy returns the result of a refused write. Stored is as much of the stored
// header as there is.
func refusedBy(why backends.Refusal, stored string) backends.Result {
	r := backends.Result{Refused: why}
	if len(stored) == header.Size && stored[0] == header.Magic && stored[1] == header.Format {
		r.Version, r.Source = versionIn(stored[header.VersionAt:]), uint64(versionIn(stored[header.SourceAt:]))
	}
	return r
}

func versionIn(s string) backends.Version {
	return backends.Version(binary.BigEndian.Uint64([]byte(s[:8])))
}
