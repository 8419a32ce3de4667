package backends

import "fmt"

// ErrEmptyKey is returned by writes of an empty key. Nothing was applied.
var ErrEmptyKey error = &refusedError{"backends: the key is empty: pass a key of at least one byte", "empty_key", true}

// ErrClosed is returned, possibly wrapped, by calls of a backend after it, or the
// store or client that it uses, was closed. Whether a write was applied is
// another question: see [CertainlyNotApplied].
var ErrClosed error = &refusedError{"backends: the backend is closed: open another one", "closed", false}

// refusedError is the error of a call that never reached a store.
type refusedError struct {
	text, errorType string
	healthy         bool
}

func (e *refusedError) Error() string     { return e.text }
func (e *refusedError) NotApplied() bool  { return true }
func (e *refusedError) Healthy() bool     { return e.healthy }
func (e *refusedError) ErrorType() string { return e.errorType }

// TooLargeError says that a store cannot take a key or a value of this size. A
// backend returns it from Stage and Set before it touches the store.
type TooLargeError struct {
	What   string // "key", "value", or "entry" for the two together
	Size   int64  // in bytes
	Max    int64  // the largest size that the store takes, in bytes
	Advice string // how to avoid it; may be empty
}

// Error gives both sizes and the advice.
func (e *TooLargeError) Error() string {
	text := fmt.Sprintf("backends: the %s has %d bytes, and the store takes %d", e.What, e.Size, e.Max)
	if e.Advice != "" {
		text += ": " + e.Advice
	}
	return text
}

// NotApplied returns true: the store was not touched.
func (e *TooLargeError) NotApplied() bool { return true }

// Healthy returns true: the store was not asked.
func (e *TooLargeError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *TooLargeError) ErrorType() string { return "too_large" }

// DamagedError is an error of Get: the bytes at the key are not those of an
// entry. Another program or a later release wrote them, or they were changed or
// cut. Writing or deleting the key repairs it.
type DamagedError struct {
	Reason string // completes "the stored bytes are"; must not quote them
	Advice string // names another way to repair it, besides writing or deleting; may be empty
}

// Error describes the damage and how to repair it.
func (e *DamagedError) Error() string {
	text := "backends: the stored bytes are " + e.Reason + ": set or delete the key to get rid of them"
	if e.Advice != "" {
		text += ", or " + e.Advice
	}
	return text
}

// Healthy returns true: the store has returned the bytes that it has.
func (e *DamagedError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *DamagedError) ErrorType() string { return "damaged" }
