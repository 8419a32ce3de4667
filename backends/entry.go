package backends

import "time"

// Entry is a value and what every tier keeps beside it.
type Entry[V any] struct {
	// Value is the cached value. Tiers in the process hold it as it is, so
	// what it points to must not be modified once it has been written or read.
	Value V

	// ExpiresAt is the instant at which the entry's life ends. It is absolute,
	// so that all tiers agree on it. The zero time means that it never ends.
	ExpiresAt time.Time
}

// Expired reports whether the entry's life has ended at now.
func (e Entry[V]) Expired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt)
}
