package failsafebackend

import (
	"context"
	"errors"
	"fmt"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/adaptivethrottler"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/timeout"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/errtype"
)

var (
	// ErrBadOption is wrapped by the errors of [New] that name a wrong option.
	ErrBadOption = errors.New("failsafebackend: bad option")

	// ErrNotAsked is wrapped by errors of calls that a policy answered without
	// asking the backend, or in spite of its error, as a fallback does. There is
	// no place for such policies here.
	ErrNotAsked = errors.New("a policy answered in place of the backend")

	// errOver is the error of an attempt that a policy begins after the operation has
	// ended.
	errOver = errors.New("failsafebackend: the operation has ended")

	// errDoubt is the error of a repetition that the store refused, perhaps because an
	// attempt before it was applied.
	errDoubt = backends.Healthy(errors.New("the store refused a retry, perhaps because an earlier attempt was applied"))
)

// RefusedError says that the policies, or a context that had ended, allowed no
// attempt: the backend was not called. It is returned by all calls that the policies
// decide on.
type RefusedError struct {
	Op  string // "get", "set", "delete", or "write" for a batch of changes
	Err error  // of the policy or the context
}

// Error says who refused.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("failsafebackend: %s refused without an attempt: %v", e.Op, e.Err)
}

// Unwrap returns the error of the policy or the context, for instance
// circuitbreaker.ErrOpen.
func (e *RefusedError) Unwrap() error { return e.Err }

// Is reports whether a timeout policy refused, for context.DeadlineExceeded.
func (e *RefusedError) Is(target error) bool { return isDeadline(e.Err, target) }

// NotApplied returns true: the backend was not called.
func (e *RefusedError) NotApplied() bool { return true }

// ErrorType returns the value of the attribute error.type:
// "circuit_breaker_open", "bulkhead_full", "rate_limited", "timeout", "canceled",
// and "refused" for other policies.
func (e *RefusedError) ErrorType() string {
	for _, known := range []struct {
		err       error
		errorType string
	}{
		{circuitbreaker.ErrOpen, "circuit_breaker_open"},
		{bulkhead.ErrFull, "bulkhead_full"},
		{ratelimiter.ErrExceeded, "rate_limited"},
		{adaptivelimiter.ErrExceeded, "rate_limited"},
		{adaptivethrottler.ErrExceeded, "rate_limited"},
		{timeout.ErrExceeded, "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{context.Canceled, "canceled"},
	} {
		if errors.Is(e.Err, known.err) {
			return known.errorType
		}
	}
	return "refused"
}

// Error says that all attempts failed, or the only one and then a policy. When
// there was only one and nothing else, its error is returned as it is.
type Error struct {
	Op       string // "get", "set", "delete", or "write" for a batch of changes
	Attempts int    // calls of the backend, at least 1
	Err      error  // of the last attempt

	// Stopped is the reason why there was no further attempt, for instance an open
	// breaker or an ended context. It is nil if the number of attempts was the reason.
	Stopped error

	notApplied bool
}

// Error gives the number of attempts, the last one's error, and the reason why there
// was no further one.
func (e *Error) Error() string {
	attempts := "1 attempt"
	if e.Attempts != 1 {
		attempts = fmt.Sprintf("%d attempts", e.Attempts)
	}
	text := fmt.Sprintf("failsafebackend: %s failed after %s: %v", e.Op, attempts, e.Err)
	if e.Stopped != nil {
		text += "; then " + e.Stopped.Error()
	}
	return text
}

// Unwrap returns the error of the last attempt.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason why there was no further attempt. A timeout
// policy that did is a context.DeadlineExceeded too.
func (e *Error) Is(target error) bool {
	return e.Stopped != nil && errors.Is(e.Stopped, target) || isDeadline(e.Stopped, target)
}

// ErrorType returns the value of the attribute error.type: "timeout" if a timeout
// policy stopped the operation, and otherwise that of the last attempt's error.
func (e *Error) ErrorType() string {
	if errors.Is(e.Stopped, timeout.ErrExceeded) {
		return "timeout"
	}
	return errtype.Of(e.Err)
}

// NotApplied reports whether the write was certainly not applied by any attempt.
func (e *Error) NotApplied() bool { return e.notApplied }

// isDeadline is for a timeout policy, whose error does not match the context's.
func isDeadline(err, target error) bool {
	return target == context.DeadlineExceeded && errors.Is(err, timeout.ErrExceeded) //nolint:errorlint // Is methods compare
}

// refusal reports whether err is of a policy that is there to keep load away.
func refusal(err error) bool {
	return errors.Is(err, circuitbreaker.ErrOpen) || errors.Is(err, bulkhead.ErrFull) ||
		errors.Is(err, ratelimiter.ErrExceeded) || errors.Is(err, adaptivelimiter.ErrExceeded) ||
		errors.Is(err, adaptivethrottler.ErrExceeded)
}
