// Package expiry turns the ExpiresAt of an entry into the number that adapters
// store, and back.
package expiry

import (
	"math"
	"time"
)

// Never is the number of an entry that does not expire.
const Never int64 = 0

// Encode returns t as Unix time in nanoseconds, and [Never] for the zero time.
// An instant after the last one that fits, in the year 2262, becomes the last.
// An instant before 1970 becomes the first after 1970 began, because 0 is taken.
// Both are in the past, so the entry has expired either way.
func Encode(t time.Time) int64 {
	switch {
	case t.IsZero():
		return Never
	case t.Unix() >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	case t.Unix() < 0:
		return 1
	default:
		return max(1, t.UnixNano())
	}
}

// Decode returns the instant that [Encode] turned into nanos.
func Decode(nanos int64) time.Time {
	if nanos == Never {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}
