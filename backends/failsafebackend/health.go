package failsafebackend

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
)

// health is what the error of an attempt says of the health of the backend.
type health int

const (
	unhealthy health = iota // a failure: an outage, a timeout, a panic, anything unknown
	healthy                 // a success, or an error with which a healthy store answers
	unknown                 // the store was not asked, or the caller cancelled the call
)

// healthOf judges the error with which an attempt of op ended.
func healthOf(op operation, err error) health {
	switch {
	case err == nil:
		return healthy
	case errors.Is(err, errOver), neverAsked(err), op != nil && op.cancelled(err):
		return unknown
	case backends.FromHealthyStore(err):
		return healthy
	default:
		return unhealthy
	}
}

// neverAsked reports whether err came before the store was asked.
func neverAsked(err error) bool {
	var encode *backends.EncodeError
	var tooLarge *backends.TooLargeError
	return errors.As(err, &encode) || errors.As(err, &tooLarge) || errors.Is(err, backends.ErrEmptyKey)
}

// cancelledBy reports whether an attempt ended with err because the caller
// cancelled ctx.
//
// A deadline is no cancellation, even when a caller cancels one context because
// the deadline of another has passed and says so in the cause: a store that hangs
// would then never be found out. Nor is an attempt cancelled that failed by
// itself while the caller left.
func cancelledBy(ctx context.Context, err error) bool {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return false
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, cause)
}
