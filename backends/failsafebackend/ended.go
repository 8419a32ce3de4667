package failsafebackend

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
)

// withContextError returns err such that it matches all that
// [backends.ContextError] of ctx does, if the end of ctx is why there is an error.
// Policies, and some backends, leave out the cause or give nothing but the cause.
func withContextError(ctx context.Context, err error) error {
	ended := backends.ContextError(ctx)
	if ended == nil || err == nil {
		return err
	}
	if err == ctx.Err() { //nolint:errorlint // nothing is lost when it is replaced
		return ended
	}
	isEnd, isCause := errors.Is(err, ctx.Err()), errors.Is(err, context.Cause(ctx))
	if isEnd == isCause {
		return err
	}
	return &contextError{error: err, ended: ended}
}

// contextError is an error that a context caused and that tells only a part of it.
type contextError struct {
	error
	ended error // of backends.ContextError
}

func (e *contextError) Unwrap() error        { return e.error }
func (e *contextError) Is(target error) bool { return errors.Is(e.ended, target) }
