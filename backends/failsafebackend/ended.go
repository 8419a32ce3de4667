package failsafebackend

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
)

// withContextError completes err if it comes from the end of ctx: the result matches
// both the error and the cause of ctx, as [backends.ContextError] does. Policies and
// some backends return just one of the two.
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

// contextError adds the other half of a context's end to an error that has one half.
type contextError struct {
	error
	ended error // of backends.ContextError
}

func (e *contextError) Unwrap() error        { return e.error }
func (e *contextError) Is(target error) bool { return errors.Is(e.ended, target) }
