package backends

import "time"

// Entry is a value and its expiry.
type Entry[V any] struct {
	// Value is the cached value. Tiers in the process hold it as it is, so the data
	// that it points to must not be modified once it has been written or read.
	Value V

	// ExpiresAt is the instant at which the entry expires. It is absolute, so that all tiers agree
	// on it. The zero time means never.
	ExpiresAt time.Time
}

// Expired reports whether the entry has expired at now.
func (e Entry[V]) Expired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt)
}
