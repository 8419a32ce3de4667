package backends

import "errors"

// ErrLossy is wrapped by errors of [JSON] and [WithVerify]: the value would not
// be read back as it was written, so it is not written.
var ErrLossy = errors.New("backends: the value would not be read back as it was written")

// ErrUnsupportedType is wrapped by the error of [WithCodec] for a codec that
// cannot store any value of its type.
var ErrUnsupportedType = errors.New("backends: the codec cannot store values of this type")

// EncodeError says that a value could not be encoded, so that nothing was written. Its text quotes
// Err only where that is known to be free of values: the errors of this package, such as
// [*TooLargeError] and [*DamagedError] of any codec, and of encoding/json those that name types.
// For any other error it names the type.
type EncodeError struct {
	Err error // of [Codec.Encode]
}

// Error describes the failure, without the value.
func (e *EncodeError) Error() string {
	return "backends: the value cannot be encoded" + reasonOf(e.Err)
}

// Unwrap returns the codec's error.
func (e *EncodeError) Unwrap() error { return e.Err }

// NotApplied returns true: the store was not called.
func (e *EncodeError) NotApplied() bool { return true }

// Healthy returns true: the store was not asked.
func (e *EncodeError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *EncodeError) ErrorType() string { return "encode" }

// DecodeError says that the bytes in a store are not those of a value. Its text
// quotes Err only where that is known to be free of values, see [EncodeError]. Of
// errors of encoding/json it gives the offset and the types.
type DecodeError struct {
	Err error // of [Codec.Decode]
}

// Error describes the failure, without the bytes.
func (e *DecodeError) Error() string {
	return "backends: the stored bytes cannot be decoded" + reasonOf(e.Err)
}

// Unwrap returns the codec's error.
func (e *DecodeError) Unwrap() error { return e.Err }

// Healthy returns true: the store has returned the bytes that it has.
func (e *DecodeError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *DecodeError) ErrorType() string { return "decode" }

// codecError is an error of the codecs of this package. Its text is free of
// values.
type codecError struct {
	reason string
	kind   error // for errors.Is: ErrLossy, ErrUnsupportedType or nil
}

func (e *codecError) Error() string        { return "backends: " + e.reason }
func (e *codecError) Is(target error) bool { return e.kind != nil && target == e.kind }

var (
	errTextNotUTF8   = &codecError{"a string or a map key is not valid UTF-8, which JSON cannot hold", ErrLossy}
	errKeysCollide   = &codecError{"two keys of a map have the same text in JSON", ErrLossy}
	errNumberTooLong = &codecError{"a number in an interface has more digits than a float64 holds", ErrLossy}
	errNotEqual      = &codecError{"the decoded value is not equal to the written one", ErrLossy}
	errBytesNotUTF8  = &codecError{"they are not valid UTF-8", nil}
)

// undecodableError says that the codec's own output cannot be decoded.
type undecodableError struct{ err error }

func (e *undecodableError) Error() string {
	return "backends: the codec cannot decode its own encoding" + reasonOf(e.err)
}
func (e *undecodableError) Is(target error) bool { return target == ErrLossy }
func (e *undecodableError) Unwrap() error        { return e.err }
