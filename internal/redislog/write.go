package redislog

import (
	"encoding/binary"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/header"
	"github.com/tiercache/tiercache/tier"
)

// Write is a write with a version that is ready to be sent, also by several goroutines.
type Write struct {
	Part *Partition
	Key  string

	log    *Log
	remove bool
	cond   backends.Condition
	before string // microseconds of the server's clock; "": no deadline
	keep   time.Duration
	data   string // header and value, the version left out as 0
	head   header.Header

	// The words of the first call are kept here, which saves an allocation (budget
	// DistantVersionedSet). Another one has its own: hooks may still look at the first.
	words  [MaxWords]string
	called atomic.Bool
}

// Prepare makes a write ready that was checked against the limits.
func (l *Log) Prepare(w *backends.Write[[]byte]) *Write {
	c := &Write{
		Part: l.Of(w.Key), Key: w.Key, log: l, remove: w.Kind == tier.Delete, cond: w.If, keep: w.Keep,
		head: header.Header{Codec: w.Codec, Source: w.Source, Operation: w.Operation, Note: w.Note},
	}
	if c.keep == 0 {
		c.keep = backends.DefaultKeep
	}
	if !w.Before.IsZero() {
		c.before = strconv.FormatInt(max(1, w.Before.UnixMicro()), 10)
	}
	if !c.remove {
		c.head.ExpiresAt = expiry.Encode(w.Entry.ExpiresAt)
		c.data = c.head.EncodeToString(w.Entry.Value)
	}
	return c
}

// Op is the operation's name in errors.
func (c *Write) Op() string {
	if c.remove {
		return "delete"
	}
	return "set"
}

// Size is about that of the call.
func (c *Write) Size() int {
	const rest = 300
	return len(c.data) + 2*len(c.Key) + rest
}

// looks reports whether the store must look at the stored header before it writes.
func (c *Write) looks(remove bool) bool {
	return remove || c.head.Source != 0 || c.cond.Test != backends.TestAlways
}

// Call returns the call that makes the write now: the longer it has waited, the shorter is
// the remaining TTL. A set of an entry that has expired is a delete.
func (c *Write) Call(at *Place, now time.Time) Call {
	nanos := max(1, now.UnixNano())
	ttl, data, remove := "", c.data, c.remove
	switch left := c.head.ExpiresAt - nanos; {
	case !remove && c.head.ExpiresAt == expiry.Never:
	case !remove && left > 0:
		ttl = strconv.FormatInt(Milliseconds(time.Duration(left))+Milliseconds(c.keep), 10)
	default:
		remove = true
		ttl = strconv.FormatInt(max(1, Milliseconds(c.keep)), 10)
		data = c.tombstone(nanos)
	}
	kind := messageSet
	if remove {
		kind = messageDelete
	}
	meta := messageMeta(kind, c.head.Operation, c.head.Note)
	p, s := c.Part, &c.log.scripts
	words := append(c.room(), p.Prefix+c.Key, p.Log, p.Mark, at.text, at.id, at.high, c.before, c.Key, meta)
	if !c.looks(remove) {
		return Call{s.set, 3, append(words, data[:header.VersionAt], data[header.SourceAt:], ttl)}
	}
	return Call{s.change, 3, append(words, data[:header.VersionAt], data[header.OperationAt:], ttl,
		tests[c.cond.Test], bigEndian(uint64(c.cond.Version)), data[header.SourceAt:header.OperationAt],
		string(rune(kind)), bigEndian(uint64(nanos)))}
}

// room returns an empty list for the words of a call.
func (c *Write) room() []string {
	if c.called.Swap(true) {
		return make([]string, 0, MaxWords)
	}
	return c.words[:0]
}

// tombstone returns the header that stays in place of a deleted entry.
func (c *Write) tombstone(nanos int64) string {
	h := c.head
	h.Tombstone = true
	h.ExpiresAt = nanos + min(int64(c.keep), math.MaxInt64-nanos)
	return h.EncodeToString(nil)
}

// tests are the names of the tests in the script.
var tests = [...]string{
	backends.TestAlways: "", backends.TestAbsent: "a", backends.TestIs: "i", backends.TestNotNewer: "n",
	backends.TestAbsentAt: "v",
}

func bigEndian(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[:])
}

// Milliseconds rounds up, so that the server drops nothing that has not expired.
func Milliseconds(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d%time.Millisecond != 0 {
		ms++
	}
	return ms
}

// errForeign is the error of a write whose condition cannot be decided.
func errForeign() error {
	return backends.NotApplied(damaged("of an unknown format, so that no condition can be compared with them"))
}

// Attempt is what one attempt of a write leaves to the next.
type Attempt struct {
	Not  *Place // a place that the log has left
	Load bool   // the server does not have the script

	moves int
}

// maxMoves is how often a write follows a log that was begun anew.
const maxMoves = 5

// Settle turns the reply to a call that was made at the instant begin, and that was for the
// log at the place at, into the outcome of the attempt. Again says that it was not executed
// and is to be made once more, with what a says now. The error is [ErrUnsteady], with which
// nothing was executed; [ErrOddReply], with which nothing is known; or one that says itself
// that the write was not applied.
func (c *Write) Settle(reply any, begin time.Time, at *Place, a *Attempt) (result backends.Result, again bool, err error) {
	text, ok := reply.(string)
	if !ok {
		return result, false, ErrOddReply
	}
	result, now, moved, err := c.parse(text)
	switch {
	case moved && a.moves == maxMoves:
		return result, false, ErrUnsteady
	case moved:
		a.Not, a.moves = at, a.moves+1
		return result, true, nil
	}
	c.log.Observe(begin, time.Now(), now)
	return result, false, err
}

// parse reads the reply to the command. Moved says that the log is another than at: the
// write was not applied. At is zero in replies without a time.
func (c *Write) parse(reply string) (result backends.Result, at time.Time, moved bool, err error) {
	if reply == "" {
		return result, at, false, ErrOddReply
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
		return result, at, false, ErrOddReply
	}
	c.Part.See(result.Version)
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
