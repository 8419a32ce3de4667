package backends

import "context"

// Codec turns values into bytes and back. Implementations must be safe for
// concurrent use.
type Codec[V any] interface {
	// Encode returns the bytes of v. They may be kept by the store, so they
	// must not be modified afterwards.
	Encode(v V) (data []byte, err error)

	// Decode returns the value whose encoding is data. It may keep data but must not
	// modify it.
	Decode(data []byte) (v V, err error)
}

// CodecValidator is a [Codec] that can check its type of values and its settings.
// [WithCodec] calls it once and refuses a codec that returns an error. A codec that
// wraps another should call the other's Validate.
type CodecValidator interface {
	// Validate returns nil, or an error that says what to do. It is the same at
	// every call.
	Validate() error
}

// validate returns the error of a codec that cannot be used.
func validate[V any](codec Codec[V]) error {
	if codec == nil {
		return ErrNilCodec
	}
	if v, ok := codec.(CodecValidator); ok {
		return v.Validate()
	}
	return nil
}

// Coded is a [Backend] of values over a store of bytes. It encodes when a write
// is staged, before any tier is touched. It has the optional interfaces of its store. It
// is safe for concurrent use.
type Coded[V any] struct {
	store    Backend[[]byte]
	optional Optional[[]byte] // of the store
	codec    Codec[V]
	id       uint8 // of the codec; 0: unknown
}

var (
	_ Backend[any] = (*Coded[any])(nil)
	_ Stager[any]  = (*Coded[any])(nil)
	_ Describer    = (*Coded[any])(nil)
)

// WithCodec returns a backend that keeps values in store as bytes made by codec.
//
// If codec cannot encode a value, Set returns an [*EncodeError], which is certainly not applied; if
// it cannot decode the stored bytes, Get returns a [*DecodeError]. WithCodec returns
// [ErrNilBackend] or [ErrNilCodec] if an argument is nil, and the error of a codec that is a
// [CodecValidator] and cannot be used.
func WithCodec[V any](store Backend[[]byte], codec Codec[V]) (*Coded[V], error) {
	if store == nil {
		return nil, ErrNilBackend
	}
	if err := validate(codec); err != nil {
		return nil, err
	}
	c := &Coded[V]{store: store, optional: OptionalOf(store), codec: codec}
	if i, ok := codec.(CodecIdentifier); ok {
		c.id = i.CodecID()
	}
	return c, nil
}

// Get reads and decodes the entry at key.
func (c *Coded[V]) Get(ctx context.Context, key string) (entry Entry[V], ok bool, err error) {
	if ctx == nil {
		return Entry[V]{}, false, ErrNilContext
	}
	raw, ok, err := c.store.Get(ctx, key)
	if err != nil || !ok {
		return Entry[V]{}, false, err
	}
	if entry, err = c.decode(raw); err != nil {
		return Entry[V]{}, false, err
	}
	return entry, true, nil
}

// Set encodes and writes the entry.
func (c *Coded[V]) Set(ctx context.Context, key string, entry Entry[V]) error {
	if ctx == nil {
		return ErrNilContext
	}
	raw, err := c.encode(entry)
	if err != nil {
		return err
	}
	return c.store.Set(ctx, key, raw)
}

// Stage encodes the entry, and stages it in the store if the store can do that.
func (c *Coded[V]) Stage(ctx context.Context, key string, entry Entry[V]) (set func(ctx context.Context) error, err error) {
	if ctx == nil {
		return nil, ErrNilContext
	}
	raw, err := c.encode(entry)
	if err != nil {
		return nil, err
	}
	if s, ok := c.store.(Stager[[]byte]); ok {
		return s.Stage(ctx, key, raw)
	}
	return func(ctx context.Context) error {
		if ctx == nil {
			return ErrNilContext
		}
		return c.store.Set(ctx, key, raw)
	}, nil
}

// Delete removes the entry at key.
func (c *Coded[V]) Delete(ctx context.Context, key string) error {
	if ctx == nil {
		return ErrNilContext
	}
	return c.store.Delete(ctx, key)
}

// Describe returns the description of the store. Its abilities hold for values too.
func (c *Coded[V]) Describe() Description { return DescriptionOf(c.store) }

func (c *Coded[V]) encode(entry Entry[V]) (Entry[[]byte], error) {
	data, err := c.codec.Encode(entry.Value)
	if err != nil {
		return Entry[[]byte]{}, &EncodeError{Err: err}
	}
	return Entry[[]byte]{Value: data, ExpiresAt: entry.ExpiresAt}, nil
}

func (c *Coded[V]) decode(raw Entry[[]byte]) (Entry[V], error) {
	value, err := c.codec.Decode(raw.Value)
	if err != nil {
		return Entry[V]{}, &DecodeError{Err: err}
	}
	return Entry[V]{Value: value, ExpiresAt: raw.ExpiresAt}, nil
}
