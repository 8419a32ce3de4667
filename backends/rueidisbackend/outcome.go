package rueidisbackend

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/internal/rediserr"
)

// replyError is an error reply of the server to the command itself.
type replyError struct {
	text string // with the word ERR, which rueidis leaves out
	err  error  // as rueidis returns it
}

// Error returns the text of rueidis.
func (e *replyError) Error() string { return e.err.Error() }

// Unwrap returns the error of rueidis.
func (e *replyError) Unwrap() error { return e.err }

// errorOf returns the error of a command: a [*replyError]; [rueidis.Nil]; or any other one,
// with which the server has not answered, or its answer was lost. The last may be a
// [*rueidis.RedisError] too, but one that is about a connection: the answer to HELLO or
// AUTH, which all commands get that wait for that connection.
func errorOf(r rueidis.RedisResult) error {
	if err := r.NonRedisError(); err != nil {
		return err
	}
	err := r.Error()
	if err == nil || rueidis.IsRedisNil(err) {
		return err
	}
	text, _ := r.ToString() // as it was sent
	return &replyError{text, err}
}

// replyOf returns the error reply that err is or wraps.
func replyOf(err error) (rediserr.Reply, bool) {
	if e, ok := errors.AsType[*replyError](err); ok {
		return rediserr.ReplyOf(e.text), true
	}
	if e, ok := errors.AsType[*rueidis.RedisError](err); ok && !e.IsNil() {
		if r := rediserr.ReplyOf("ERR " + e.Error()); r.Refused {
			return r, true
		}
		return rediserr.ReplyOf(e.Error()), true
	}
	return rediserr.Reply{}, false
}

// notExecuted reports whether a write that failed with err was certainly not executed. The
// error must be as rueidis has returned it: one that is wrapped may be of something else,
// as an error of AuthCredentialsFn is.
func notExecuted(err error) bool {
	switch e := err.(type) { //nolint:errorlint // see above
	case *replyError:
		return rediserr.ReplyOf(e.text).Refused
	case *net.OpError:
		return e.Op == "dial" // nothing is written before a connection is there
	default:
		return errors.Is(err, rueidis.ErrNoSlot) || errors.Is(err, rueidis.ErrNoCache)
	}
}

// passes reports whether a repetition may succeed.
func (b *Backend) passes(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if r, ok := replyOf(err); ok {
		return r.Passes
	}
	switch {
	case rueidis.IsParseErr(err), errors.Is(err, rueidis.ErrNoCache):
		return false
	case errors.Is(err, rueidis.ErrClosing):
		return !b.single // a node may have left the cluster, and a master may be replaced
	default:
		return true
	}
}

// Bounds of the pauses between attempts.
const (
	minPause = 8 * time.Millisecond
	maxPause = 512 * time.Millisecond
)

// pause waits before the next attempt, for a random time whose bounds double
// from one to the next. It returns false when the context ends first.
func pause(ctx context.Context, attempts int) bool {
	const maxDoublings = 8
	spread := minPause << min(attempts, maxDoublings)
	timer := time.NewTimer(min(maxPause, minPause+rand.N(spread))) //nolint:gosec // it guards nothing
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
