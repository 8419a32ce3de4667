// Package errtype names errors for the attribute error.type.
package errtype

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Of returns what err says of itself by a method ErrorType() string; the text of
// an error number of the operating system, whose type alone would say nothing;
// "timeout" for a deadline and "canceled" for a cancellation; and otherwise the
// type of the innermost error, because what wraps it only says more about it.
func Of(err error) string {
	if typed, ok := errors.AsType[interface {
		error
		ErrorType() string
	}](err); ok {
		return typed.ErrorType()
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return fmt.Sprintf("%T", err)
		}
		err = next
	}
}
