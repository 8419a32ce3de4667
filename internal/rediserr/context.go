package rediserr

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// grace is how late a context may notice that its deadline has passed.
const grace = 10 * time.Millisecond

// EndOf returns the error of ctx if its end is why a call failed with err, and
// otherwise nil. A timeout of the client's is no cancellation, even if the caller's
// context has ended meanwhile.
//
// Clients give the connection the deadline of the context, and it may be the
// connection that notices it first.
func EndOf(ctx context.Context, err error) error {
	late := IsTimeout(err)
	if deadline, ok := ctx.Deadline(); ok && late && !time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
		case <-time.After(grace):
		}
	}
	switch ctxErr := ctx.Err(); {
	case errors.Is(ctxErr, context.DeadlineExceeded) && late, errors.Is(ctxErr, context.Canceled) && errors.Is(err, context.Canceled):
		return backends.ContextError(ctx)
	default:
		return nil
	}
}

// CauseOfEnd describes the end of a context, as [EndOf] returns it.
func CauseOfEnd(ended error) Cause {
	if errors.Is(ended, context.DeadlineExceeded) {
		return Cause{ended.Error(), Timeout}
	}
	return Cause{ended.Error(), Canceled}
}
