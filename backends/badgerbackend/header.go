package badgerbackend

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
)

const (
	// headerSize is the length of the header in front of every value.
	headerSize = 1 + 8

	// format1 is the first byte of each stored value. No text in UTF-8, JSON or
	// MessagePack begins with it, which shows up values of others in a store that is
	// shared.
	format1 = 0xC1
)

// nativeExpiry returns expiresAt in badger's unit, rounded up, so that badger drops
// nothing that is still alive.
func nativeExpiry(expiresAt int64) uint64 {
	seconds := expiresAt / int64(time.Second)
	if expiresAt%int64(time.Second) != 0 {
		seconds++
	}
	return uint64(seconds) //nolint:gosec // never negative: see expiry.Encode
}

func expired(expiresAt int64, now time.Time) bool {
	return expiresAt != expiry.Never && expiresAt <= now.UnixNano()
}

// encode returns a copy of value with its header in front.
func encode(expiresAt int64, value []byte) []byte {
	data := make([]byte, headerSize, headerSize+len(value))
	data[0] = format1
	binary.BigEndian.PutUint64(data[1:], uint64(expiresAt)) //nolint:gosec // never negative: see expiry.Encode
	return append(data, value...)
}

// decode splits data into expiresAt and value, which shares its memory. It returns
// a [*backends.DamagedError] if encode cannot have made data.
func decode(data []byte) (expiresAt int64, value []byte, err error) {
	if len(data) < headerSize {
		return 0, nil, &backends.DamagedError{Reason: "too short for a header"}
	}
	if data[0] != format1 {
		return 0, nil, &backends.DamagedError{Reason: "of an unknown format"}
	}
	bits := binary.BigEndian.Uint64(data[1:])
	if bits > math.MaxInt64 {
		return 0, nil, &backends.DamagedError{Reason: "with an impossible expiry"}
	}
	return int64(bits), data[headerSize:], nil
}

// entryOf makes an entry of the results of decode and copies the value, whose memory is
// badger's.
func entryOf(expiresAt int64, value []byte) backends.Entry[[]byte] {
	return backends.Entry[[]byte]{Value: append([]byte{}, value...), ExpiresAt: expiry.Decode(expiresAt)}
}
