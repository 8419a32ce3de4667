package redisbackend

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// The layout of the header; see the package's doc. Its fields have fixed places,
// so that a script in the server can compare versions.
const (
	flagsAt    = 1
	checksumAt = 2
	expiryAt   = 6
	versionAt  = 14
	headerSize = 22
)

// format1 is the first byte of what this package stores. No text in UTF-8, JSON
// or MessagePack begins with it, which shows up values of others.
const format1 = 0xC1

// The flags. Fields that they announce are not used yet, but values that have
// them can be read: they will be written while this release still runs.
const (
	flagVersion  = 1 << 0
	flagChecksum = 1 << 1
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

// encode returns a copy of value with its header in front.
func encode(expiry int64, value []byte) []byte {
	data := make([]byte, headerSize+len(value))
	data[0] = format1
	binary.BigEndian.PutUint64(data[expiryAt:], uint64(expiry)) //nolint:gosec // never negative: see expiryOf
	copy(data[headerSize:], value)
	return data
}

// decode splits data into expiry and value, which shares its memory. It returns
// a [*DamagedError] if no release can have made data, or a later one did that
// must be understood.
func decode(data []byte) (expiry int64, value []byte, err error) {
	switch {
	case len(data) < headerSize:
		return 0, nil, &DamagedError{reason: "too short for a header"}
	case data[0] != format1:
		return 0, nil, &DamagedError{reason: "of an unknown format"}
	}
	flags := data[flagsAt]
	bits := binary.BigEndian.Uint64(data[expiryAt:])
	switch {
	case flags&^(flagVersion|flagChecksum) != 0:
		return 0, nil, &DamagedError{reason: "with unknown flags, perhaps of a later release"}
	case flags&flagChecksum == 0 && binary.BigEndian.Uint32(data[checksumAt:]) != 0,
		flags&flagVersion == 0 && binary.BigEndian.Uint64(data[versionAt:]) != 0:
		return 0, nil, &DamagedError{reason: "with a field that its flags do not announce"}
	case bits > math.MaxInt64:
		return 0, nil, &DamagedError{reason: "with an impossible expiry"}
	}
	return int64(bits), data[headerSize:], nil
}

// entryOf makes an entry of what decode returned.
func entryOf(expiry int64, value []byte) backends.Entry[[]byte] {
	entry := backends.Entry[[]byte]{Value: value}
	if expiry != never {
		entry.ExpiresAt = time.Unix(0, expiry)
	}
	return entry
}
