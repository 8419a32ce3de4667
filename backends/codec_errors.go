package backends

import "fmt"

// EncodeError says that a value could not be encoded, so that nothing was
// written. Its text names the type of Err and not its text, which may quote the
// value.
type EncodeError struct {
	Err error // of [Codec.Encode]
}

// Error names the kind of failure, without the value.
func (e *EncodeError) Error() string {
	return fmt.Sprintf("backends: the value cannot be encoded (%T)", e.Err)
}

// Unwrap returns the codec's error.
func (e *EncodeError) Unwrap() error { return e.Err }

// NotApplied returns true: what cannot be encoded is never sent.
func (e *EncodeError) NotApplied() bool { return true }

// Healthy returns true: the store was not asked.
func (e *EncodeError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *EncodeError) ErrorType() string { return "encode" }

// DecodeError says that the bytes in a store are not those of a value. Its text
// names the type of Err and not its text, which may quote the value.
type DecodeError struct {
	Err error // of [Codec.Decode]
}

// Error names the kind of failure, without the bytes.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("backends: the stored bytes cannot be decoded (%T)", e.Err)
}

// Unwrap returns the codec's error.
func (e *DecodeError) Unwrap() error { return e.Err }

// Healthy returns true: the store has returned the bytes that it has.
func (e *DecodeError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *DecodeError) ErrorType() string { return "decode" }
