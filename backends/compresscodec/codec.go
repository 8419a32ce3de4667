package compresscodec

import (
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/backends"
)

// Codec compresses the encodings of another codec. It is safe for concurrent use if the other one
// is, and needs no Close.
type Codec[V any] struct {
	codec   backends.Codec[V]
	config  config
	zstd    zstdCoder
	invalid error // nil, or why it cannot be used
}

var (
	_ backends.Codec[any]     = (*Codec[any])(nil)
	_ backends.CodecValidator = (*Codec[any])(nil)
)

// New returns a codec that compresses what codec encodes. Without options it uses zstd for
// encodings of 1 KiB or more, and refuses those of more than 64 MiB.
//
// A nil codec and options that cannot be used are errors of [Codec.Validate], which
// [backends.WithCodec] calls, and of every Encode and Decode.
func New[V any](codec backends.Codec[V], opts ...Option) *Codec[V] {
	c := &Codec[V]{codec: codec, config: defaults}
	for _, opt := range opts {
		if opt != nil {
			c.config = opt.apply(c.config)
		}
	}
	if c.invalid = c.validate(); c.invalid == nil {
		c.zstd, c.invalid = newZstdCoder(c.config.maxSize)
	}
	return c
}

// Validate returns nil, or an error that says what to do. It includes that of the other codec.
func (c *Codec[V]) Validate() error { return c.invalid }

func (c *Codec[V]) validate() error {
	if c.codec == nil {
		return fmt.Errorf("compresscodec: the codec to compress is missing: %w", backends.ErrNilCodec)
	}
	if err := c.config.validate(); err != nil {
		return err
	}
	if v, ok := c.codec.(backends.CodecValidator); ok {
		return v.Validate()
	}
	return nil
}

// Encode encodes v by the other codec, and compresses that. If it is too large, the error is a
// [*backends.TooLargeError].
func (c *Codec[V]) Encode(v V) ([]byte, error) {
	if c.invalid != nil {
		return nil, c.invalid
	}
	plain, err := c.codec.Encode(v)
	if err != nil {
		return nil, err
	}
	if len(plain) > c.config.maxSize {
		return nil, &backends.TooLargeError{
			What: "value", Size: int64(len(plain)), Max: int64(c.config.maxSize),
			Advice: "pass compresscodec.WithMaxSize to everybody who reads it",
		}
	}
	if len(plain) >= c.config.minSize {
		if data := c.compress(plain); len(data) <= len(plain) {
			return data, nil
		}
	}
	return append([]byte{methodNone}, plain...), nil
}

// Decode decompresses data and decodes that by the other codec. If data is damaged, the error is a
// [*backends.DamagedError], and if it would become too large, a [*backends.TooLargeError].
func (c *Codec[V]) Decode(data []byte) (v V, err error) {
	if c.invalid != nil {
		return v, c.invalid
	}
	plain, err := c.decompress(data)
	if err != nil {
		return v, err
	}
	return c.codec.Decode(plain)
}

func (c *Codec[V]) compress(plain []byte) []byte {
	if c.config.algorithm == S2 {
		return s2Compress(plain)
	}
	return c.zstd.compress(plain)
}

func (c *Codec[V]) decompress(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, damaged("empty, and have no leading byte that says how they are compressed")
	}
	method, body := data[0], data[1:]
	switch method {
	case methodNone:
		if len(body) > c.config.maxSize {
			return nil, c.tooLarge(int64(len(body)))
		}
		return body, nil
	case methodZstd:
		plain, err := c.zstd.decompress(body)
		return plain, c.explain(err)
	case methodS2:
		plain, err := s2Decompress(body, c.config.maxSize)
		return plain, c.explain(err)
	default:
		return nil, damaged("compressed in a way that this release does not know")
	}
}

// explain returns an error whose text is known to be free of values.
func (c *Codec[V]) explain(err error) error {
	var large *sizeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return c.tooLarge(large.size)
	default:
		return damaged("no intact compressed value")
	}
}

func (c *Codec[V]) tooLarge(size int64) error {
	return &backends.TooLargeError{
		What: "decompressed value", Size: size, Max: int64(c.config.maxSize),
		Advice: "pass compresscodec.WithMaxSize, or set or delete the key",
	}
}

func damaged(reason string) error { return &backends.DamagedError{Reason: reason} }
