package redisbackend

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/rediserr"
	"github.com/tiercache/tiercache/internal/redislog"
	"github.com/tiercache/tiercache/tier"
)

var (
	_ backends.Versioned[[]byte] = (*Backend)(nil)
	_ backends.Clocked           = (*Backend)(nil)
)

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

// prepare checks a write against the limits and makes it ready.
func (b *Backend) prepare(w *backends.Write[[]byte]) (*redislog.Write, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	if err := b.limits.CheckKey(w.Key); err != nil {
		return nil, err
	}
	if w.Kind == tier.Set {
		if err := b.limits.CheckValue(w.Entry.Value); err != nil {
			return nil, err
		}
	}
	return b.log.Prepare(w), nil
}

// writeLogged makes attempts as write does. A log that was begun anew, and a script that
// the server does not have, executed nothing, and are no failures.
func (b *Backend) writeLogged(ctx context.Context, c *redislog.Write) (backends.Result, error) {
	if ctx == nil {
		return backends.Result{}, backends.ErrNilContext
	}
	if ctx.Err() != nil {
		return backends.Result{}, notBegun(ctx, c.Op())
	}
	var attempt redislog.Attempt
	for attempts := 1; ; attempts++ {
		result, failed := b.tryLogged(ctx, c, &attempt)
		if failed == nil {
			return result, nil
		}
		e, ours := failed.(*Error) //nolint:errorlint // as it was made
		if !ours {
			return result, failed
		}
		e.Attempts = attempts
		if !b.repeats(ctx, e) {
			return result, failed
		}
	}
}

// tryLogged makes one attempt.
func (b *Backend) tryLogged(ctx context.Context, c *redislog.Write, a *redislog.Attempt) (backends.Result, error) {
	for {
		at, err := b.log.PlaceOf(ctx, b.server, c.Part, a.Not)
		if err != nil {
			b.lookAgain(ctx, err)
			return backends.Result{}, &Error{Op: c.Op(), Err: err, ended: rediserr.EndOf(ctx, err), notApplied: true}
		}
		cmd := newEval(ctx, c.Call(at, b.now()), a.Load)
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
	ctx context.Context, c *redislog.Write, cmd *command, err error, begin time.Time, at *redislog.Place, a *redislog.Attempt,
) (result backends.Result, again bool, failed error) {
	written := cmd.withdraw()
	if err != nil {
		if noScript(err) && !a.Load {
			a.Load = true
			return result, true, nil
		}
		b.lookAgain(ctx, err)
		return result, false, &Error{
			Op: c.Op(), Attempts: 1, Err: err, ended: rediserr.EndOf(ctx, err), notApplied: b.notExecuted(written, err),
		}
	}
	result, again, err = c.Settle(cmd.reply(), begin, at, a)
	switch {
	case errors.Is(err, redislog.ErrUnsteady):
		return result, false, &Error{Op: c.Op(), Attempts: 1, Err: err, notApplied: true}
	case errors.Is(err, redislog.ErrOddReply):
		return result, false, &Error{Op: c.Op(), Attempts: 1, Err: err, notApplied: written == 0}
	}
	return result, again, err
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
	case ctx == nil:
		return entry, answer, backends.ErrNilContext
	case ctx.Err() != nil:
		return entry, answer, notBegun(ctx, "get")
	case !b.storable(key):
		return entry, answer, nil
	}
	p := b.log.Of(key)
	var data []byte
	headerOnly := false
	if p.Knows(have) {
		data, headerOnly, err = b.readUnless(ctx, p, key, have)
	} else {
		data, err = b.client.Get(ctx, p.Prefix+key).Bytes()
	}
	if err != nil {
		if errors.Is(err, redislog.ErrOddReply) {
			return entry, answer, &Error{Op: "get", Err: err}
		}
		return entry, answer, b.readFailed(ctx, err)
	}
	return redislog.Answer(p, data, headerOnly, b.now())
}

// readUnless reads a value, or its header alone if it has the version.
func (b *Backend) readUnless(
	ctx context.Context, p *redislog.Partition, key string, have backends.Version,
) (data []byte, headerOnly bool, err error) {
	reply, err := b.server.Run(ctx, b.log.ReadCall(p, key, have))
	if err != nil {
		return nil, false, err
	}
	text, headerOnly, err := redislog.ReadReply(reply)
	return []byte(text), headerOnly, err
}

// StoreTime returns the server's time, as far as its replies have told it: those to
// joins, to writes, and to the heartbeats of a reader. It is not known without [WithLog].
func (b *Backend) StoreTime() (now time.Time, within time.Duration, ok bool) {
	if b.log == nil {
		return time.Time{}, 0, false
	}
	return b.log.StoreTime()
}
