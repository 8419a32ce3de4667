package backends

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// JSON returns a codec that uses encoding/json.
//
// Encode refuses a value that would silently lose something in JSON. The error wraps [ErrLossy]
// when
//
//   - a string or a map key is not valid UTF-8: it would be read back with
//     U+FFFD in the place of the bad bytes;
//   - two keys of a map have the same text, so that one of them would be lost;
//   - a number in an interface has more digits than a float64 holds, and would be read
//     back as a float64;
//   - the JSON cannot be decoded, for instance because of a value in a field
//     whose type is an interface with methods.
//
// Numbers that are not finite, channels, functions and complex numbers are
// errors of encoding/json.
//
// A type that cannot be stored at all, such as fmt.Stringer or chan int, is
// refused by [WithCodec], and by every Encode and Decode, with an error that
// wraps [ErrUnsupportedType].
//
// Other changes are not errors. A value that is read from the store may differ from the written one
// as follows:
//
//   - In an interface, numbers are float64, structs and maps are map[string]any,
//     slices and arrays are []any, and []byte, times and other values that are
//     strings in JSON are strings. A nil pointer, slice or map in it is nil.
//   - Unexported fields, fields tagged "-" and fields whose JSON names are equal
//     are zero. The values of package sync/atomic are such cases.
//   - A struct that embeds a type with a MarshalJSON of its own, such as time.Time, has
//     only the output of that method.
//   - A time.Time has no monotonic clock reading, and its location is UTC, Local
//     or a fixed offset. Compare times with Equal. An offset with seconds, as
//     zones had before 1940 or so, loses them, which changes the instant.
//   - A slice or map that is empty and tagged omitempty is nil. Others stay nil
//     or empty as they were.
//   - Two pointers to one value become pointers to two values, and a pointer to
//     a nil pointer becomes nil.
//   - A json.RawMessage has no insignificant white space, and has <, >, &, U+2028
//     and U+2029 as \u escapes. A nil one is null.
//   - A json.Number that is empty is 0.
//
// [WithVerify] finds these at run time, and backendtest.CodecSuite in a test.
//
// Decode refuses bytes that are not valid UTF-8. It ignores fields that V does not
// have, and takes null for the zero value. The codec does not keep its arguments and is
// safe for concurrent use.
func JSON[V any]() Codec[V] {
	t := reflect.TypeFor[V]()
	return &jsonCodec[V]{traits: traitsOf(t), refusal: refuse(t)}
}

type jsonCodec[V any] struct {
	traits  jsonTraits
	refusal error // nil, or why V cannot be stored
}

var _ CodecValidator = (*jsonCodec[any])(nil)

// Validate returns an error for a type that cannot be stored.
func (c *jsonCodec[V]) Validate() error { return c.refusal }

// Encode marshals the address of v, so that methods MarshalJSON of pointers are
// found, as Decode finds those for UnmarshalJSON.
func (c *jsonCodec[V]) Encode(v V) ([]byte, error) {
	if c.refusal != nil {
		return nil, c.refusal
	}
	data, err := json.Marshal(&v)
	if err == nil {
		err = c.check(data)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (c *jsonCodec[V]) Decode(data []byte) (v V, err error) {
	var zero V
	switch {
	case c.refusal != nil:
		return zero, c.refusal
	case !utf8.Valid(data):
		return zero, errBytesNotUTF8
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return zero, err
	}
	return v, nil
}

// check looks for losses in the output, which is cheaper than to walk through the
// value. Only a value with suspicious marks is decoded and encoded again: marks of
// losses are then absent from the second output, while marks that belong to the value,
// as in a json.RawMessage, are there again.
func (c *jsonCodec[V]) check(data []byte) error {
	if !utf8.Valid(data) {
		return errTextNotUTF8
	}
	marks := c.traits.marksOf(data)
	if marks == (jsonMarks{}) && !c.traits.decode {
		return nil
	}
	v, err := c.Decode(data)
	if err != nil {
		return &undecodableError{err: err}
	}
	if marks == (jsonMarks{}) {
		return nil
	}
	again, err := json.Marshal(&v)
	if err != nil {
		return &undecodableError{err: err}
	}
	return marks.lostIn(c.traits.marksOf(again))
}
