package badgerbackend

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
)

const (
	// headerSize is the length of what is stored in front of every value.
	headerSize = 1 + 8

	// format1 is the first byte of what this package stores. No text in UTF-8,
	// JSON or MessagePack begins with it, which shows up values of others in
	// a store that is shared.
	format1 = 0xC1
)

// never is the expiry of an entry that has none.
const never int64 = 0

// expiryOf returns the instant at which an entry's life ends as Unix time in
// nanoseconds. What comes after the last instant that these can tell, in the
// year 2262, becomes that instant. Anything from before 1970 becomes the first
// after its begin, because 0 is taken; it is long past either way.
func expiryOf(t time.Time) int64 {
	switch {
	case t.IsZero():
		return never
	case t.Unix() >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	case t.Unix() < 0:
		return 1
	default:
		return max(1, t.UnixNano())
	}
}

// nativeExpiry returns expiry in badger's unit, rounded up, so that badger drops
// nothing that is still alive.
func nativeExpiry(expiry int64) uint64 {
	seconds := expiry / int64(time.Second)
	if expiry%int64(time.Second) != 0 {
		seconds++
	}
	return uint64(seconds) //nolint:gosec // never negative: see expiryOf
}

func expired(expiry int64, now time.Time) bool {
	return expiry != never && expiry <= now.UnixNano()
}

// encode returns a copy of value with its header in front.
func encode(expiry int64, value []byte) []byte {
	data := make([]byte, headerSize, headerSize+len(value))
	data[0] = format1
	binary.BigEndian.PutUint64(data[1:], uint64(expiry)) //nolint:gosec // never negative: see expiryOf
	return append(data, value...)
}

// decode splits data into expiry and value, which shares its memory. It returns
// a [*DamagedError] if encode cannot have made data.
func decode(data []byte) (expiry int64, value []byte, err error) {
	if len(data) < headerSize {
		return 0, nil, &DamagedError{reason: "too short for a header"}
	}
	if data[0] != format1 {
		return 0, nil, &DamagedError{reason: "of an unknown format"}
	}
	bits := binary.BigEndian.Uint64(data[1:])
	if bits > math.MaxInt64 {
		return 0, nil, &DamagedError{reason: "with an impossible expiry"}
	}
	return int64(bits), data[headerSize:], nil
}

// entryOf makes an entry of what decode returned and copies the value, whose
// memory is badger's.
func entryOf(expiry int64, value []byte) backends.Entry[[]byte] {
	entry := backends.Entry[[]byte]{Value: append([]byte{}, value...)}
	if expiry != never {
		entry.ExpiresAt = time.Unix(0, expiry)
	}
	return entry
}
