package redisbackend

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/rediserr"
)

// Error is an error of the client or the server. The package's doc lists the
// texts and error types.
type Error struct {
	Op       string // "get", "set" or "delete"
	Attempts int    // how often a write was tried; 0 for a read, and for a write that was not begun
	Err      error  // of the last attempt

	// Stopped is the error of a context that ended between two attempts of a
	// write and so prevented the next. It may be nil.
	Stopped error

	ended      error // of the context, if its end is why the last attempt failed
	notApplied bool
}

// Error names the operation and the reason, both by fixed phrases of this package.
func (e *Error) Error() string {
	text := fmt.Sprintf("redisbackend: %s failed", e.Op)
	if e.Attempts > 1 {
		text += fmt.Sprintf(" after %d attempts", e.Attempts)
	}
	text += ": " + e.cause().Text
	if e.Stopped != nil {
		text += "; then " + e.Stopped.Error()
	}
	return text
}

func (e *Error) cause() rediserr.Cause {
	if r, ok := replyOf(e.Err); ok {
		return r.Cause()
	}
	if e.ended != nil {
		return rediserr.CauseOfEnd(e.ended)
	}
	return rediserr.CauseOf(e.Err, causeInClient, causeInReply)
}

// ResponseStatusCode returns the first word of an error reply of the server, "OOM" for
// instance, if it is one that the package's doc lists, and "" for other errors. It is the
// value of the attribute db.response.status_code.
func (e *Error) ResponseStatusCode() string {
	if r, ok := replyOf(e.Err); ok && r.Code != rediserr.Unlisted {
		return r.Code
	}
	return ""
}

// Unwrap returns the error of the client.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error or the cause of the context that ended
// the call, or [backends.ErrClosed] and the client is closed.
func (e *Error) Is(target error) bool {
	switch {
	case e.ended != nil && errors.Is(e.ended, target), e.Stopped != nil && errors.Is(e.Stopped, target):
		return true
	default:
		return target == backends.ErrClosed && errors.Is(e.Err, redis.ErrClosed) //nolint:errorlint // Is methods compare
	}
}

// NotApplied reports whether a write was certainly not applied, by none of its
// attempts. The package's doc says when that is so.
func (e *Error) NotApplied() bool { return e.notApplied }

// Healthy reports whether the server refused this call and goes on serving
// others. See [backends.FromHealthyStore]; the package's doc lists the replies.
func (e *Error) Healthy() bool {
	r, ok := replyOf(e.Err)
	return ok && r.Healthy
}

// ErrorType returns the value of the attribute error.type. The package's doc
// lists the values.
func (e *Error) ErrorType() string { return e.cause().Type }

// readError returns the error of a read.
func readError(ctx context.Context, err error) error {
	return &Error{Op: "get", Err: err, ended: rediserr.EndOf(ctx, err)}
}

// notBegun returns the error of a call that was not begun, because its context
// had ended.
func notBegun(ctx context.Context, op string) error {
	ended := backends.ContextError(ctx)
	return &Error{Op: op, Err: ended, ended: ended, notApplied: true}
}
