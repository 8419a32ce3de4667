package failsafebackend

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
)

// health is the health of the backend as far as the error of an attempt shows it.
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
	var invalid *backends.InvalidWriteError
	return errors.As(err, &encode) || errors.As(err, &tooLarge) || errors.As(err, &invalid) ||
		errors.Is(err, backends.ErrEmptyKey) || errors.Is(err, backends.ErrUnsupported)
}

// cancelledBy reports whether an attempt ended with err because the caller
// cancelled ctx.
//
// A deadline is no cancellation. That includes a caller that cancels one context
// because the deadline of another has passed, and gives that as the cause: otherwise
// nobody would notice a store that hangs. Nor does it hold for an attempt that failed
// by itself at the moment when the caller cancelled it.
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
