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
// Otter has a deadline of its own beside each value, but replaces the two one
// after the other. Only an expiry that is part of the value is certain to belong
// to it.
type Item[V any] struct {
	// Value is the value as it was set.
	Value V

	// expiresAt is Unix time in nanoseconds, or never.
	expiresAt int64
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
