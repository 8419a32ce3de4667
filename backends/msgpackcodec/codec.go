package msgpackcodec

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/tiercache/tiercache/backends"
)

// Codec encodes values of one type as MessagePack. It is safe for concurrent use, also if several
// goroutines encode one value.
type Codec[V any] struct {
	compact bool
	invalid error // nil, or why it cannot be used
}

var (
	_ backends.Codec[any]     = (*Codec[any])(nil)
	_ backends.CodecValidator = (*Codec[any])(nil)
)

// New returns a codec. The struct tag `msgpack:"name,omitempty"` names fields. The keys of a
// map[string]any or map[string]string are sorted, so that equal values have equal encodings.
//
// Integers are as short as their value allows, unless V holds an interface, in which a shorter
// int64 would come back as another type.
//
// A type that MessagePack cannot hold is an error of [Codec.Validate], which [backends.WithCodec]
// calls, and of every Encode and Decode. It wraps [backends.ErrUnsupportedType].
func New[V any]() *Codec[V] {
	t := reflect.TypeFor[V]()
	c := &Codec[V]{compact: !holdsInterface(t, make(map[reflect.Type]bool))}
	if !supported(t) {
		c.invalid = fmt.Errorf("msgpackcodec: MessagePack cannot hold a %s: use another type: %w", t, backends.ErrUnsupportedType)
	}
	return c
}

// Validate returns nil, or an error that says what to do.
func (c *Codec[V]) Validate() error { return c.invalid }

// Encode returns the encoding of v.
func (c *Codec[V]) Encode(v V) ([]byte, error) {
	if c.invalid != nil {
		return nil, c.invalid
	}
	var buf bytes.Buffer
	encoder := msgpack.GetEncoder()
	encoder.Reset(&buf)
	encoder.SetSortMapKeys(true)
	encoder.UseCompactInts(c.compact)
	if err := encoder.Encode(&v); err != nil {
		return nil, err // the encoder may be anywhere: it is not used again
	}
	msgpack.PutEncoder(encoder)
	// A custom encoder may have written anything.
	if _, err := checkValue(buf.Bytes()); err != nil {
		return nil, fmt.Errorf("msgpackcodec: the encoding of a %T cannot be decoded: %w", v, err)
	}
	return buf.Bytes(), nil
}

// Decode returns the value whose encoding is data. If data is no single value of MessagePack, the
// error is a [*backends.DamagedError].
//
// A decoder that was registered with msgpack.RegisterExtDecoder reads the bytes of its extension with
// ReadFull. If it reads them as a map, the error is a DamagedError as well.
func (c *Codec[V]) Decode(data []byte) (v V, err error) {
	if c.invalid != nil {
		return v, c.invalid
	}
	disguised, err := checkValue(data)
	if err != nil {
		return v, err
	}
	defer func() {
		if r := recover(); r != nil { // such as a key of a map[any]any that is a slice
			var zero V
			v, err = zero, &backends.DamagedError{Reason: "no " + reflect.TypeFor[V]().String()}
		}
	}()
	decoder := msgpack.GetDecoder()
	decoder.Reset(reader(data, disguised))
	if err := decoder.Decode(&v); err != nil {
		var zero V
		return zero, err
	}
	msgpack.PutDecoder(decoder)
	return v, nil
}

func supported(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Interface:
		return t.NumMethod() == 0 // else nothing can be decoded into it
	default:
		return true
	}
}

// holdsInterface reports whether a value of t may hold values of types that it does not name.
func holdsInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsInterface(t.Elem(), seen)
	case reflect.Map:
		return holdsInterface(t.Key(), seen) || holdsInterface(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if holdsInterface(field.Type, seen) {
				return true
			}
		}
	}
	return false
}
