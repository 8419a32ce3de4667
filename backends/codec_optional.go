package backends

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/tier"
)

// The optional interfaces of a [Coded]. It can do what its store can.

var (
	_ Versioned[any] = (*Coded[any])(nil)
	_ Batcher[any]   = (*Coded[any])(nil)
	_ Clocked        = (*Coded[any])(nil)
	_ Watcher        = (*Coded[any])(nil)
	_ Stamped[any]   = (*Coded[any])(nil)
	_ Walker         = (*Coded[any])(nil)
)

// CodecIdentifier is a [Codec] with a number that tells its encoding from others.
type CodecIdentifier interface {
	// CodecID returns the number, the same at every call. [Coded] puts it into each
	// [Write] that has none, and readers find it in [Answer]. Plain Sets do not carry
	// it. Numbers below 128 are for this module. 0: unknown.
	CodecID() uint8
}

// Write encodes the value of a Set and makes the change. A value that cannot be encoded
// is an [*EncodeError].
func (c *Coded[V]) Write(ctx context.Context, w *Write[V]) (Result, error) {
	if c.optional.versioned == nil {
		return Result{}, Unsupported("versions")
	}
	raw, err := c.encodeWrite(w)
	if err != nil {
		return Result{}, err
	}
	return c.optional.Write(ctx, &raw)
}

// GetIf reads and decodes the entry at key unless its version is have.
func (c *Coded[V]) GetIf(ctx context.Context, key string, have Version) (Entry[V], Answer, error) {
	raw, answer, err := c.optional.GetIf(ctx, key, have)
	if err != nil {
		return Entry[V]{}, Answer{}, err
	}
	if answer.Found != Hit {
		return Entry[V]{}, answer, nil
	}
	entry, err := c.decode(raw)
	if err != nil {
		return Entry[V]{}, Answer{}, err
	}
	return entry, answer, nil
}

// GetMany reads and decodes the entries at keys.
func (c *Coded[V]) GetMany(ctx context.Context, keys []string, got []Got[V]) {
	if RefuseReads(ctx, keys, got) {
		return
	}
	raw := make([]Got[[]byte], len(keys))
	c.optional.GetMany(ctx, keys, raw)
	for i, g := range raw {
		got[i] = Got[V]{Answer: g.Answer, Err: g.Err}
		if g.Err != nil || g.Answer.Found != Hit {
			continue
		}
		if got[i].Entry, got[i].Err = c.decode(g.Entry); got[i].Err != nil {
			got[i].Answer = Answer{}
		}
	}
}

// WriteMany encodes the values and makes those changes whose value can be encoded.
func (c *Coded[V]) WriteMany(ctx context.Context, writes []Write[V], done []Done) {
	if RefuseWrites(ctx, writes, done) {
		return
	}
	raw := make([]Write[[]byte], 0, len(writes))
	places := make([]int, 0, len(writes)) // of raw in writes
	for i := range writes {
		w, err := c.encodeWrite(&writes[i])
		if err != nil {
			done[i] = Done{Err: err}
			continue
		}
		raw, places = append(raw, w), append(places, i)
	}
	if len(raw) == 0 {
		return
	}
	made := make([]Done, len(raw))
	c.optional.WriteMany(ctx, raw, made)
	for i, place := range places {
		done[place] = made[i]
	}
}

// StoreTime returns the store's time.
func (c *Coded[V]) StoreTime() (now time.Time, within time.Duration, ok bool) {
	return c.optional.StoreTime()
}

// Watch tells sink of the store's changes.
func (c *Coded[V]) Watch(ctx context.Context, sink Sink) error { return c.optional.Watch(ctx, sink) }

// Seen returns the greatest version that the store has shown.
func (c *Coded[V]) Seen(key string) Version { return c.optional.Seen(key) }

// GetStamped reads and decodes the entry at key, and its stamp.
func (c *Coded[V]) GetStamped(ctx context.Context, key string) (entry Entry[V], stamp Stamp, ok bool, err error) {
	raw, stamp, ok, err := c.optional.GetStamped(ctx, key)
	if err != nil || !ok {
		return Entry[V]{}, Stamp{}, false, err
	}
	if entry, err = c.decode(raw); err != nil {
		return Entry[V]{}, Stamp{}, false, err
	}
	return entry, stamp, true, nil
}

// SetStamped encodes and writes the entry with its stamp.
func (c *Coded[V]) SetStamped(ctx context.Context, key string, entry Entry[V], stamp Stamp) error {
	raw, err := c.encode(entry)
	if err != nil {
		return err
	}
	return c.optional.SetStamped(ctx, key, raw, stamp)
}

// Walk visits the store's entries.
func (c *Coded[V]) Walk(ctx context.Context, visit func(key string, stamp Stamp) bool) error {
	return c.optional.Walk(ctx, visit)
}

// encodeWrite returns w with the bytes of its value.
func (c *Coded[V]) encodeWrite(w *Write[V]) (Write[[]byte], error) {
	if err := w.Check(); err != nil {
		return Write[[]byte]{}, err
	}
	raw := Write[[]byte]{
		Key: w.Key, Kind: w.Kind, If: w.If, Source: w.Source, Before: w.Before, Keep: w.Keep,
		Operation: w.Operation, Note: w.Note, Codec: w.Codec,
	}
	if w.Kind == tier.Delete {
		return raw, nil
	}
	if raw.Codec == 0 {
		raw.Codec = c.id
	}
	var err error
	raw.Entry, err = c.encode(w.Entry)
	return raw, err
}
