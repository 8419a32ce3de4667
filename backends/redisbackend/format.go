package redisbackend

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/header"
)

// The layout of the headers of the first format. They are read, as those of entries
// without versions, and not written any more.
const (
	firstFlagsAt    = 1
	firstChecksumAt = 2
	firstExpiryAt   = 6
	firstVersionAt  = 14
	firstSize       = 22
)

// The flags of the first format. No release has written them.
const (
	firstVersion  = 1 << 0
	firstChecksum = 1 << 1
)

// encode returns a copy of value with its header in front.
func encode(expiresAt int64, value []byte) []byte {
	h := header.Header{ExpiresAt: expiresAt}
	return h.Encode(value)
}

// decode splits data into its header and the value, which shares its memory. It returns
// a [*backends.DamagedError] if no release can have made data, or a later one did that
// must be understood.
func decode(data []byte) (h header.Header, value []byte, err error) {
	if header.Earlier(data) {
		return decodeFirst(data)
	}
	h, value, err = header.Decode(data)
	if failed, ok := errors.AsType[*backends.DamagedError](err); ok {
		return header.Header{}, nil, damaged(failed.Reason)
	}
	return h, value, err
}

func decodeFirst(data []byte) (h header.Header, value []byte, err error) {
	if len(data) < firstSize {
		return h, nil, damaged("too short for a header")
	}
	flags := data[firstFlagsAt]
	bits := binary.BigEndian.Uint64(data[firstExpiryAt:])
	switch {
	case flags&^(firstVersion|firstChecksum) != 0:
		return h, nil, damaged("with unknown flags, perhaps of a later release")
	case flags&firstChecksum == 0 && binary.BigEndian.Uint32(data[firstChecksumAt:]) != 0,
		flags&firstVersion == 0 && binary.BigEndian.Uint64(data[firstVersionAt:]) != 0:
		return h, nil, damaged("with a field that its flags do not announce")
	case bits > math.MaxInt64:
		return h, nil, damaged("with an impossible expiry")
	}
	return header.Header{ExpiresAt: int64(bits)}, data[firstSize:], nil
}

// damaged returns the error of Get for bytes that decode cannot read.
func damaged(reason string) error {
	return &backends.DamagedError{Reason: reason, Advice: "use WithRawValues for values of other programs"}
}

// entryOf makes an entry of the results of decode.
func entryOf(h *header.Header, value []byte) backends.Entry[[]byte] {
	return backends.Entry[[]byte]{Value: value, ExpiresAt: expiry.Decode(h.ExpiresAt)}
}
