package tier

import (
	"fmt"
	"strings"

	"github.com/tiercache/tiercache/internal/errtype"
)

// BatchError is the error of an operation on many keys, some of which failed. It succeeded for the
// others. Its text contains neither keys nor values. It must not be modified.
type BatchError struct {
	Kind Kind // Set, Delete, Get or Load
	Size int  // keys in the batch

	// Errors are those of single keys, in the order of the batch: what the operation on
	// that key alone would have returned.
	Errors []KeyError
}

// KeyError is the error of one key of a batch.
type KeyError struct {
	Index int // of the key in the batch
	Err   error
}

// shownErrors is the number of errors that the text of a BatchError quotes.
const shownErrors = 3

// Error returns how many keys failed, and the first errors.
func (e *BatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tiercache: %s: %d of %d keys failed", e.Kind, len(e.Errors), e.Size)
	for i, failed := range e.Errors {
		if i == shownErrors {
			fmt.Fprintf(&b, "; and %d more", len(e.Errors)-i)
			break
		}
		fmt.Fprintf(&b, "; index %d: %s", failed.Index, strings.TrimPrefix(failed.Err.Error(), "tiercache: "))
	}
	return b.String()
}

// Unwrap returns the errors of the keys.
func (e *BatchError) Unwrap() []error {
	errs := make([]error, len(e.Errors))
	for i := range e.Errors {
		errs[i] = e.Errors[i].Err
	}
	return errs
}

// Of returns the error of the key at an index, or nil.
func (e *BatchError) Of(index int) error {
	for _, failed := range e.Errors {
		if failed.Index == index {
			return failed.Err
		}
	}
	return nil
}

// ErrorType returns the value of the attribute error.type: that of the first error.
func (e *BatchError) ErrorType() string {
	if len(e.Errors) == 0 {
		return errtype.Other
	}
	return errtype.Of(e.Errors[0].Err)
}
