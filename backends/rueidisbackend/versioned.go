package rueidisbackend

import (
	"context"
	"errors"
	"time"

	"github.com/redis/rueidis"

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
	if !b.logged() {
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
	if err := b.space.Limits.CheckKey(w.Key); err != nil {
		return nil, err
	}
	if w.Kind == tier.Set {
		if err := b.space.Limits.CheckValue(w.Entry.Value); err != nil {
			return nil, err
		}
	}
	return b.space.Log.Prepare(w), nil
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
		result, err := b.tryLogged(ctx, c, &attempt)
		failed, ours := err.(*Error) //nolint:errorlint // as it was made
		if !ours {
			return result, err
		}
		failed.Attempts = attempts
		if !failed.notApplied || attempts > b.retries || !b.passes(ctx, failed.Err) {
			return result, failed
		}
		if !pause(ctx, attempts) {
			failed.stopBy(ctx)
			return result, failed
		}
	}
}

// tryLogged makes one attempt.
func (b *Backend) tryLogged(ctx context.Context, c *redislog.Write, a *redislog.Attempt) (backends.Result, error) {
	for {
		at, err := b.space.Log.PlaceOf(ctx, b.server, c.Part, a.Not)
		if err != nil {
			return backends.Result{}, b.notSent(ctx, c.Op(), err)
		}
		begin := time.Now()
		r := b.client.Do(ctx, newEval(b.client.B(), c.Call(at, b.now()), a.Load))
		result, again, err := b.settle(ctx, c, r, begin, at, a)
		if !again {
			return result, err
		}
	}
}

// notSent is the error of a write whose log is not known, so that it was not sent.
func (b *Backend) notSent(ctx context.Context, op string, err error) *Error {
	return &Error{Op: op, Attempts: 1, Err: err, ended: rediserr.EndOf(ctx, err), notApplied: true}
}

// settle turns the end of an attempt into its outcome. Again says that it was not
// executed and is to be made once more, with what a says now.
func (b *Backend) settle(
	ctx context.Context, c *redislog.Write, r rueidis.RedisResult, begin time.Time, at *redislog.Place, a *redislog.Attempt,
) (result backends.Result, again bool, failed error) {
	if err := errorOf(r); err != nil {
		if noScript(err) && !a.Load {
			a.Load = true
			return result, true, nil
		}
		return result, false, b.writeError(ctx, c.Op(), err)
	}
	reply, _ := r.ToMessage() // its error is that above
	result, again, err := c.Settle(plain(reply), begin, at, a)
	switch {
	case errors.Is(err, redislog.ErrUnsteady):
		return result, false, &Error{Op: c.Op(), Attempts: 1, Err: err, notApplied: true}
	case errors.Is(err, redislog.ErrOddReply):
		return result, false, &Error{Op: c.Op(), Attempts: 1, Err: err}
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
	case !b.logged():
		return entry, answer, backends.Unsupported("versions")
	case ctx == nil:
		return entry, answer, backends.ErrNilContext
	case ctx.Err() != nil:
		return entry, answer, notBegun(ctx, "get")
	case !b.storable(key):
		return entry, answer, nil
	}
	p := b.space.Log.Of(key)
	if !p.Knows(have) {
		return b.get(ctx, p, p.Prefix+key)
	}
	load := false
	r, err := b.ask(ctx, func() rueidis.Completed {
		return newEval(b.client.B(), b.space.Log.ReadCall(p, key, have), load)
	})
	if e, ok := err.(*Error); ok && noScript(e.Err) { //nolint:errorlint // as it was made
		load = true
		r, err = b.ask(ctx, func() rueidis.Completed {
			return newEval(b.client.B(), b.space.Log.ReadCall(p, key, have), load)
		})
	}
	switch {
	case rueidis.IsRedisNil(err):
		return entry, answer, nil
	case err != nil:
		return entry, answer, err
	}
	reply, _ := r.ToMessage()
	data, headerOnly, err := redislog.ReadReply(plain(reply))
	if err != nil {
		return entry, answer, &Error{Op: "get", Attempts: 1, Err: err}
	}
	return redislog.Answer(p, []byte(data), headerOnly, b.now())
}

// StoreTime returns the server's time, as far as its replies have told it: those to
// joins, to writes, and to the heartbeats of a reader. It is not known without [WithLog].
func (b *Backend) StoreTime() (now time.Time, within time.Duration, ok bool) {
	if !b.logged() {
		return time.Time{}, 0, false
	}
	return b.space.Log.StoreTime()
}
