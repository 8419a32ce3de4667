package backends

import (
	"context"
	"errors"
	"fmt"
)

// ContextError returns nil until ctx ends. From then on it returns an error that
// matches, by [errors.Is], both ctx.Err() and the context's cause. For a nil context
// it returns [ErrNilContext].
//
// A backend should wrap it in the error of a call that the context ended. ctx.Err()
// alone hides the cause, and the cause alone hides whether a deadline or a
// cancellation ended the call, which circuit breakers and metrics ask for.
func ContextError(ctx context.Context) error {
	if ctx == nil {
		return ErrNilContext
	}
	err := ctx.Err()
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	switch {
	case cause == nil: // of a context that is not the standard library's
		return err
	case errors.Is(cause, err):
		return cause
	default:
		return fmt.Errorf("%w: %w", err, cause)
	}
}
