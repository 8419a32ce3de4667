package redisbackend

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
)

var (
	_ backends.Versioned[[]byte] = (*Backend)(nil)
	_ backends.Clocked           = (*Backend)(nil)
)

// errUnsteady is the error of a write that met another log each time it was tried.
var errUnsteady = errors.New("redisbackend: unsteady log")

// maxMoves is how often a write follows a log that was begun anew.
const maxMoves = 5

// Write makes one change, decided by one script in the server; see [backends.Versioned].
// It needs [WithLog], and otherwise returns an error that wraps
// [backends.ErrUnsupported]. Other errors are those of Set, and a
// [*backends.DamagedError] if the key holds foreign bytes, with which no condition can
// be compared; that one is certainly not applied.
func (b *Backend) Write(ctx context.Context, w *backends.Write[[]byte]) (backends.Result, error) {
	if b.log == nil {
		return backends.Result{}, backends.Unsupported("versions")
	}
	c, err := b.prepare(w)
	if err != nil {
		return backends.Result{}, err
	}
	return b.writeLogged(ctx, c)
}

// writeLogged makes attempts as write does. A log that was begun anew, and a script that
// the server does not have, executed nothing, and are no failures.
func (b *Backend) writeLogged(ctx context.Context, c *logged) (backends.Result, error) {
	if ctx.Err() != nil {
		return backends.Result{}, notBegun(ctx, c.op())
	}
	var attempt loggedAttempt
	for attempts := 1; ; attempts++ {
		result, failed := b.tryLogged(ctx, c, &attempt)
		if failed == nil {
			return result, nil
		}
		certain := backends.CertainlyNotApplied(failed)
		e, ours := failed.(*Error) //nolint:errorlint // as it was made
		if !ours {
			return result, failed
		}
		e.Attempts = attempts
		if !certain || attempts > b.retry.max || !passes(e.Err) {
			return result, failed
		}
		if !b.retry.pause(ctx, attempts) {
			if e.ended == nil {
				e.Stopped = backends.ContextError(ctx)
			}
			return result, failed
		}
	}
}

// loggedAttempt is what one attempt leaves to the next.
type loggedAttempt struct {
	not   *place // a place that the log has left
	load  bool   // the server does not have the script
	moves int
}

// tryLogged makes one attempt.
func (b *Backend) tryLogged(ctx context.Context, c *logged, a *loggedAttempt) (backends.Result, error) {
	for {
		at, err := b.placeOf(ctx, c.part, a.not)
		if err != nil {
			b.lookAgain(ctx, err)
			return backends.Result{}, &Error{Op: c.op(), Err: err, ended: endOf(ctx, err), notApplied: true}
		}
		cmd := c.command(ctx, &b.log.scripts, at, a.load, b.now())
		begin := time.Now()
		err = b.client.Process(ctx, cmd)
		result, again, err := b.settle(ctx, c, cmd, err, begin, at, a)
		if !again {
			return result, err
		}
	}
}

// settle turns the end of an attempt into its outcome. Again says that it was not
// executed and is to be made once more, with what a says now.
func (b *Backend) settle(
	ctx context.Context, c *logged, cmd *command, err error, begin time.Time, at *place, a *loggedAttempt,
) (result backends.Result, again bool, failed error) {
	written := cmd.withdraw()
	if err != nil {
		if noScript(err) && !a.load {
			a.load = true
			return result, true, nil
		}
		b.lookAgain(ctx, err)
		return result, false, &Error{
			Op: c.op(), Attempts: 1, Err: err, ended: endOf(ctx, err), notApplied: b.notExecuted(written, err),
		}
	}
	text, ok := cmd.text()
	if !ok {
		return result, false, &Error{Op: c.op(), Attempts: 1, Err: errOddReply, notApplied: written == 0}
	}
	result, now, moved, err := c.parse(text)
	switch {
	case moved && a.moves == maxMoves:
		return result, false, &Error{Op: c.op(), Attempts: 1, Err: errUnsteady, notApplied: true}
	case moved:
		a.not, a.moves = at, a.moves+1
		return result, true, nil
	case errors.Is(err, errOddReply):
		return result, false, &Error{Op: c.op(), Attempts: 1, Err: err}
	}
	if !now.IsZero() {
		b.log.clock.observe(begin, time.Now(), now)
	}
	return result, false, err
}

// GetIf returns the entry at key with its versions, by one command; see
// [backends.Versioned]. Versions of another era than the log's are taken for unknown. It
// needs [WithLog], and otherwise returns an error that wraps [backends.ErrUnsupported].
// Other errors are those of Get.
func (b *Backend) GetIf(
	ctx context.Context, key string, have backends.Version,
) (entry backends.Entry[[]byte], answer backends.Answer, err error) {
	switch {
	case b.log == nil:
		return entry, answer, backends.Unsupported("versions")
	case ctx.Err() != nil:
		return entry, answer, notBegun(ctx, "get")
	case !b.storable(key):
		return entry, answer, nil
	}
	p := partitionOf(b.log.partitions, key)
	var data []byte
	headerOnly := false
	if at := p.place.Load(); have == 0 || at == nil || at.era != have.Era() {
		data, err = b.client.Get(ctx, p.prefix+key).Bytes()
	} else {
		var reply any
		reply, err = b.log.scripts.read.run(ctx, b.client, []string{p.prefix + key}, bigEndian(uint64(have)))
		if err == nil {
			data, headerOnly, err = readReply(reply)
		}
	}
	if err != nil {
		if errors.Is(err, errOddReply) {
			return entry, answer, &Error{Op: "get", Err: err}
		}
		return entry, answer, b.readFailed(ctx, err)
	}
	return b.answer(p, data, headerOnly)
}

// readReply returns the bytes in the reply of the reading script.
func readReply(reply any) (data []byte, headerOnly bool, err error) {
	if array, ok := reply.([]any); ok && len(array) == 1 {
		reply, headerOnly = array[0], true
	}
	text, ok := reply.(string)
	if !ok {
		return nil, false, errOddReply
	}
	return []byte(text), headerOnly, nil
}

// answer reads a stored value. HeaderOnly says that the value was left out, because its
// version is the one that was asked for.
func (b *Backend) answer(p *partition, data []byte, headerOnly bool) (entry backends.Entry[[]byte], answer backends.Answer, err error) {
	h, value, err := decode(data)
	if err != nil {
		return entry, answer, err
	}
	if p != nil {
		p.see(h.Version)
	}
	answer = h.Answer()
	entry = entryOf(&h, value)
	switch {
	case answer.Found == backends.Miss, !entry.ExpiresAt.IsZero() && entry.Expired(b.now()):
		answer.Found = backends.Miss
		return backends.Entry[[]byte]{}, answer, nil
	case headerOnly:
		answer.Found = backends.Unchanged
		return backends.Entry[[]byte]{}, answer, nil
	default:
		return entry, answer, nil
	}
}

// StoreTime returns the server's time, as far as its replies have told it: those to
// joins, to writes, and to the heartbeats of a reader. It is not known without [WithLog].
func (b *Backend) StoreTime() (now time.Time, within time.Duration, ok bool) {
	if b.log == nil {
		return time.Time{}, 0, false
	}
	return b.log.clock.estimate()
}
