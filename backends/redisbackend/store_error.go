package redisbackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
)

// Error is an error of the client or the server. Its text never is a reply of
// the server as it came, which may quote the key or the value.
//
// The replies that say that a write was not executed are those that begin with
// ASK, BUSY, CLUSTERDOWN, CROSSSLOT, DENIED, LOADING, MASTERDOWN, MISCONF,
// MOVED, NOAUTH, NOPERM, NOREPLICAS, OOM, READONLY, TRYAGAIN, WRONGPASS,
// WRONGTYPE, and a few that begin with ERR: too many clients, too long a value,
// an unknown command, an invalid expiry.
type Error struct {
	Op       string // "get", "set" or "delete"
	Attempts int    // how often a write was tried; 0 for a read, and for a write that was not begun
	Err      error  // of the last attempt

	notApplied bool
}

// Error names the operation and says why it failed.
func (e *Error) Error() string {
	attempts := ""
	if e.Attempts > 1 {
		attempts = fmt.Sprintf(" after %d attempts", e.Attempts)
	}
	return fmt.Sprintf("redisbackend: %s failed%s: %s", e.Op, attempts, e.reason())
}

func (e *Error) reason() string {
	code, r, refused, ok := replyOf(e.Err)
	switch {
	case refused:
		return "the server answered " + code + ": " + r.text
	case ok:
		return "the server answered " + code
	default:
		return e.Err.Error()
	}
}

// Unwrap returns the error of the client.
func (e *Error) Unwrap() error { return e.Err }

// NotApplied reports whether a write was certainly not applied, by none of its
// attempts. The package's doc says when that is so.
func (e *Error) NotApplied() bool { return e.notApplied }

// ErrorType returns the value of the attribute error.type: the first word of the
// server's error reply, for instance "OOM"; "pool_timeout", "closed" (the
// client), "timeout", "canceled", "connection_lost"; the text of an error number
// of the operating system; and otherwise the type of the error.
func (e *Error) ErrorType() string {
	var errno syscall.Errno
	var netErr net.Error
	code, _, _, ok := replyOf(e.Err)
	switch {
	case ok:
		return code
	case errors.Is(e.Err, redis.ErrPoolTimeout), errors.Is(e.Err, redis.ErrPoolExhausted):
		return "pool_timeout"
	case errors.Is(e.Err, redis.ErrClosed):
		return "closed"
	case errors.Is(e.Err, context.Canceled):
		return "canceled"
	case errors.Is(e.Err, context.DeadlineExceeded), errors.Is(e.Err, os.ErrDeadlineExceeded),
		errors.As(e.Err, &netErr) && netErr.Timeout():
		return "timeout"
	case errors.Is(e.Err, io.EOF), errors.Is(e.Err, io.ErrUnexpectedEOF), errors.Is(e.Err, net.ErrClosed),
		errors.Is(e.Err, syscall.ECONNRESET), errors.Is(e.Err, syscall.EPIPE):
		return "connection_lost"
	case errors.As(e.Err, &errno):
		return errno.Error()
	default:
		return fmt.Sprintf("%T", innermost(e.Err))
	}
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// endedError is the error of a call that was not begun, because its context had
// ended.
func endedError(ctx context.Context, op string) error {
	return &Error{Op: op, Err: backends.ContextError(ctx), notApplied: true}
}
