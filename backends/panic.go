package backends

import (
	"fmt"
	"runtime"
)

// PanicError is a panic of a backend or a codec, caught by the cache and turned
// into the error of its tier. Whether the write was applied is not known.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // of the goroutine that panicked
}

// Error gives the text of a run-time error, and otherwise only the type of the
// panic's value, because the value may quote a key.
func (e *PanicError) Error() string {
	if err, ok := e.Value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic (%T)", e.Value)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// NotApplied returns false, whatever the panic's value says: the panic may have
// come after the write.
func (e *PanicError) NotApplied() bool { return false }

// Healthy returns false, whatever the panic's value says.
func (e *PanicError) Healthy() bool { return false }

// ErrorType returns the value of the attribute error.type.
func (e *PanicError) ErrorType() string { return "panic" }
