package backends

import (
	"fmt"
	"reflect"
	"sync/atomic"
)

// WithVerify returns a codec that checks codec while it runs: it decodes the encoding of the first
// value, and of one in everyN values after it. If that fails, or if equal returns false, Encode
// returns an error that wraps [ErrLossy], which a cache reports as an [*EncodeError] before it
// writes either tier. An everyN of 1 checks all values.
//
// A check costs a decoding and a comparison; the other writes cost an atomic addition. Losses in
// the values that are not checked stay unnoticed.
//
// A nil equal is reflect.DeepEqual. It is strict, so give another one if values
// may hold a NaN, which is not equal to itself; a time.Time, which loses its
// monotonic clock reading and may get another *Location; unexported fields that
// are not stored; functions; or a nil slice or map where empty means the same.
//
// An everyN below 1 and a nil codec are errors of [WithCodec] and of every Encode; so
// is the error of codec as a [CodecValidator]. The codec is safe for concurrent use if
// codec and equal are. It keeps no values.
func WithVerify[V any](codec Codec[V], everyN int, equal func(written, read V) bool) Codec[V] {
	if equal == nil {
		equal = func(a, b V) bool { return reflect.DeepEqual(a, b) }
	}
	err := validate(codec)
	if err == nil && everyN < 1 {
		err = &codecError{fmt.Sprintf("WithVerify checks one in %d values: use 1 or more", everyN), nil}
	}
	return &verified[V]{codec: codec, every: uint64(max(everyN, 1)), equal: equal, invalid: err}
}

type verified[V any] struct {
	codec   Codec[V]
	every   uint64
	equal   func(written, read V) bool
	invalid error // nil, or why it cannot be used
	count   atomic.Uint64
}

var (
	_ CodecValidator  = (*verified[any])(nil)
	_ CodecIdentifier = (*verified[any])(nil)
)

func (c *verified[V]) Validate() error { return c.invalid }

// CodecID returns the number of the codec that is checked, or 0.
func (c *verified[V]) CodecID() uint8 {
	if i, ok := c.codec.(CodecIdentifier); ok {
		return i.CodecID()
	}
	return 0
}

func (c *verified[V]) Encode(v V) ([]byte, error) {
	if c.invalid != nil {
		return nil, c.invalid
	}
	data, err := c.codec.Encode(v)
	if err != nil || (c.count.Add(1)-1)%c.every != 0 {
		return data, err
	}
	again, err := c.codec.Decode(data)
	if err != nil {
		return nil, &undecodableError{err: err}
	}
	if !c.equal(v, again) {
		return nil, errNotEqual
	}
	return data, nil
}

func (c *verified[V]) Decode(data []byte) (v V, err error) {
	if c.invalid != nil {
		return v, c.invalid
	}
	return c.codec.Decode(data)
}
