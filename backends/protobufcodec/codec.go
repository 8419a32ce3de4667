package protobufcodec

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"

	"github.com/tiercache/tiercache/backends"
)

// Codec encodes messages of one type. It is safe for concurrent use.
type Codec[M proto.Message] struct {
	invalid error // nil, or why it cannot be used
}

var (
	_ backends.Codec[proto.Message] = (*Codec[proto.Message])(nil)
	_ backends.CodecValidator       = (*Codec[proto.Message])(nil)
)

// New returns a codec of M, which is a pointer to a generated message.
//
// An M that is an interface, such as [proto.Message] itself, is an error of [Codec.Validate], which
// [backends.WithCodec] calls, and of every Encode and Decode: the bytes do not tell which message
// they are. It wraps [backends.ErrUnsupportedType].
func New[M proto.Message]() *Codec[M] {
	c := &Codec[M]{}
	if t := reflect.TypeFor[M](); t.Kind() != reflect.Pointer {
		c.invalid = fmt.Errorf("protobufcodec: the type %s does not name a message: use a pointer to a generated message: %w",
			t, backends.ErrUnsupportedType)
	}
	return c
}

// Validate returns nil, or an error that says what to do.
func (c *Codec[M]) Validate() error { return c.invalid }

// Encode returns the encoding of m. A nil message, which would come back as an empty one, and a
// message without one of its required fields are errors.
func (c *Codec[M]) Encode(m M) ([]byte, error) {
	if c.invalid != nil {
		return nil, c.invalid
	}
	if !m.ProtoReflect().IsValid() {
		return nil, errNil
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	if data == nil {
		data = []byte{} // an empty message
	}
	return data, nil
}

// Decode returns the message whose encoding is data. If data is none, the error is a
// [*backends.DamagedError]. It does not recurse deeper than 10 000 messages.
func (c *Codec[M]) Decode(data []byte) (M, error) {
	var zero M
	if c.invalid != nil {
		return zero, c.invalid
	}
	m := zero.ProtoReflect().New().Interface().(M)
	if err := proto.Unmarshal(data, m); err != nil {
		return zero, &backends.DamagedError{Reason: "no " + string(m.ProtoReflect().Descriptor().FullName())}
	}
	return m, nil
}

// nilError says that there is no message to encode.
type nilError struct{}

var errNil nilError

// Error says what to do.
func (nilError) Error() string {
	return "protobufcodec: a nil message would come back as an empty one: write an empty one, or delete the key"
}

// Is reports that the value would not come back as it was written.
func (nilError) Is(target error) bool { return target == backends.ErrLossy }
