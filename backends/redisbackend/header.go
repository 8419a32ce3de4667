package redisbackend

import (
	"encoding/binary"
	"math"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
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

// format1 is the first byte of each stored value. No text in UTF-8, JSON or MessagePack
// begins with it, which shows up values of others.
const format1 = 0xC1

// The flags. Fields that they announce are not used yet, but values that have
// them can be read: they will be written while this release still runs.
const (
	flagVersion  = 1 << 0
	flagChecksum = 1 << 1
)

// encode returns a copy of value with its header in front.
func encode(expiresAt int64, value []byte) []byte {
	data := make([]byte, headerSize+len(value))
	data[0] = format1
	binary.BigEndian.PutUint64(data[expiryAt:], uint64(expiresAt)) //nolint:gosec // never negative: see expiry.Encode
	copy(data[headerSize:], value)
	return data
}

// decode splits data into expiresAt and value, which shares its memory. It returns
// a [*backends.DamagedError] if no release can have made data, or a later one did that
// must be understood.
func decode(data []byte) (expiresAt int64, value []byte, err error) {
	switch {
	case len(data) < headerSize:
		return 0, nil, damaged("too short for a header")
	case data[0] != format1:
		return 0, nil, damaged("of an unknown format")
	}
	flags := data[flagsAt]
	bits := binary.BigEndian.Uint64(data[expiryAt:])
	switch {
	case flags&^(flagVersion|flagChecksum) != 0:
		return 0, nil, damaged("with unknown flags, perhaps of a later release")
	case flags&flagChecksum == 0 && binary.BigEndian.Uint32(data[checksumAt:]) != 0,
		flags&flagVersion == 0 && binary.BigEndian.Uint64(data[versionAt:]) != 0:
		return 0, nil, damaged("with a field that its flags do not announce")
	case bits > math.MaxInt64:
		return 0, nil, damaged("with an impossible expiry")
	}
	return int64(bits), data[headerSize:], nil
}

// damaged returns the error of Get for bytes that decode cannot read.
func damaged(reason string) error {
	return &backends.DamagedError{Reason: reason, Advice: "use WithRawValues for values of other programs"}
}

// entryOf makes an entry of the results of decode.
func entryOf(expiresAt int64, value []byte) backends.Entry[[]byte] {
	return backends.Entry[[]byte]{Value: value, ExpiresAt: expiry.Decode(expiresAt)}
}
