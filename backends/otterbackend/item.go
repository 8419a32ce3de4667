package otterbackend

import (
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
)

// never is the expiry of an Item that has none.
const never int64 = 0

// Item is an entry as otter keeps it: the value, and the expiry in 8 bytes
// instead of the 24 of a [time.Time]. It is made by [ItemOf]; the zero Item is
// the zero value of V, and never expires.
//
// A stamp and the state of a versioned entry are part of the Item too, so that
// they are certain to belong to the value.
type Item[V any] struct {
	// Value is the value as it was set.
	Value V

	// expiresAt is Unix time in nanoseconds, or never. That of a deleted entry is
	// long past.
	expiresAt int64

	// more is nil for an entry without stamp and version, which costs it 8 bytes.
	more *more
}

// more is never changed once an Item has it.
type more struct {
	stamp  backends.Stamp
	change *change // nil: without versions
}

// ItemOf returns the Item that stands for entry. An expiry after the year 2262, the
// last of Unix time in nanoseconds, becomes the last instant of that type, and one
// before 1970 becomes the first nanosecond of that year. Both are read from the wall
// clock: a monotonic clock reading is dropped.
func ItemOf[V any](entry backends.Entry[V]) Item[V] {
	return Item[V]{Value: entry.Value, expiresAt: expiry.Encode(entry.ExpiresAt)}
}

// Entry returns the entry that the Item stands for. Its ExpiresAt is in the local
// time zone.
func (i Item[V]) Entry() backends.Entry[V] {
	entry := backends.Entry[V]{Value: i.Value}
	if i.expiresAt != never {
		entry.ExpiresAt = time.Unix(0, i.expiresAt)
	}
	return entry
}

// change returns the change that made the Item, or nil if none is known.
func (i *Item[V]) change() *change {
	if i.more == nil {
		return nil
	}
	return i.more.change
}

// stamp returns the Item's stamp, or the zero Stamp.
func (i *Item[V]) stamp() backends.Stamp {
	if i.more == nil {
		return backends.Stamp{}
	}
	return i.more.stamp
}

// forgetAt returns the instant from which on nobody needs the Item: that of its expiry,
// or a later one until which its versions are remembered.
func (i *Item[V]) forgetAt() int64 {
	if c := i.change(); c != nil {
		return c.forgetAt
	}
	return i.expiresAt
}
