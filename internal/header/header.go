// Package header is the header that the byte stores put in front of each value.
//
// Its fields have fixed places, so that a script in the server can compare versions:
//
//	 0  magic         0xC1: no text in UTF-8, JSON or MessagePack begins with it
//	 1  format        0x82
//	 2  flags         tombstone, note
//	 3  codec         that made the value; 0: unknown
//	 4  expiry        nanoseconds since 1970, 0: never
//	12  version       as the store issued it, 0: unknown
//	20  source        version of the value's source, 0: none
//	28  operation     that wrote the value, 0: unknown
//	36  note          one byte of length and the note, if its flag is set
//	    value
//
// Numbers are big endian, so versions compare as strings. A tombstone has no value: it
// remembers the versions of a deleted entry until its expiry.
//
// Headers of earlier formats are read too; the entry's versions are then 0. Their second
// byte is less than 0x80: the flags of redisbackend's, the first byte of the expiry of
// badgerbackend's.
package header

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/tiercache/tiercache/backends"
)

// Places of the fields.
const (
	FlagsAt     = 2
	CodecAt     = 3
	ExpiryAt    = 4
	VersionAt   = 12
	SourceAt    = 20
	OperationAt = 28
	Size        = 36 // without a note
)

// The first two bytes.
const (
	Magic  = 0xC1
	Format = 0x82
)

// The flags.
const (
	Tombstone = 1 << 0
	HasNote   = 1 << 1

	known = Tombstone | HasNote
)

// Header is all that is stored beside a value.
type Header struct {
	Tombstone bool
	Codec     uint8
	ExpiresAt int64 // nanoseconds since 1970; 0: never
	Version   backends.Version
	Source    uint64
	Operation uint64
	Note      []byte // at most backends.MaxNoteSize bytes
}

// Encode returns the header and a copy of the value behind it.
func (h *Header) Encode(value []byte) []byte {
	fixed := h.fixed()
	data := append(make([]byte, 0, h.size(value)), fixed[:]...)
	if len(h.Note) > 0 {
		data = append(data, byte(len(h.Note))) //nolint:gosec // checked by Write.Check
		data = append(data, h.Note...)
	}
	return append(data, value...)
}

// EncodeToString is Encode for clients that take strings.
func (h *Header) EncodeToString(value []byte) string {
	var b strings.Builder
	b.Grow(h.size(value))
	fixed := h.fixed()
	b.Write(fixed[:])
	if len(h.Note) > 0 {
		b.WriteByte(byte(len(h.Note))) //nolint:gosec // checked by Write.Check
		b.Write(h.Note)
	}
	b.Write(value)
	return b.String()
}

func (h *Header) size(value []byte) int {
	size := Size + len(value)
	if len(h.Note) > 0 {
		size += 1 + len(h.Note)
	}
	return size
}

// fixed returns the part of the header that has the same size in all.
func (h *Header) fixed() (data [Size]byte) {
	data[0], data[1], data[CodecAt] = Magic, Format, h.Codec
	binary.BigEndian.PutUint64(data[ExpiryAt:], uint64(max(0, h.ExpiresAt))) //nolint:gosec // not negative
	binary.BigEndian.PutUint64(data[VersionAt:], uint64(h.Version))
	binary.BigEndian.PutUint64(data[SourceAt:], h.Source)
	binary.BigEndian.PutUint64(data[OperationAt:], h.Operation)
	if h.Tombstone {
		data[FlagsAt] |= Tombstone
	}
	if len(h.Note) > 0 {
		data[FlagsAt] |= HasNote
	}
	return data
}

// Answer returns the answer of a store that found h.
func (h *Header) Answer() (a backends.Answer) {
	h.AnswerTo(&a)
	return a
}

// AnswerTo is Answer, for callers that have room for it. A is zero.
func (h *Header) AnswerTo(a *backends.Answer) {
	a.Version, a.Source, a.Operation, a.Note, a.Codec = h.Version, h.Source, h.Operation, h.Note, h.Codec
	if !h.Tombstone {
		a.Found = backends.Hit
	}
}

// Decode splits data into the header and the value, which share its memory. It returns
// a [*backends.DamagedError] without advice for bytes that no release can have written,
// and for those of a later release, which this one must not take for something else.
func Decode(data []byte) (h Header, value []byte, err error) {
	value, err = h.Decode(data)
	if err != nil {
		h = Header{}
	}
	return h, value, err
}

// Decode is the function, for callers that have room for the header, which is zero (budget
// RedisGetMany). When it fails, h is of no use.
func (h *Header) Decode(data []byte) (value []byte, err error) {
	switch {
	case len(data) == 0 || data[0] != Magic:
		return nil, damaged("of an unknown format")
	case len(data) < Size:
		return nil, damaged("too short for a header")
	case data[1] != Format:
		return nil, damaged("of an unknown format, perhaps of a later release")
	case data[FlagsAt]&^known != 0:
		return nil, damaged("with unknown flags, perhaps of a later release")
	}
	expiry := binary.BigEndian.Uint64(data[ExpiryAt:])
	if expiry > math.MaxInt64 {
		return nil, damaged("with an impossible expiry")
	}
	h.Tombstone = data[FlagsAt]&Tombstone != 0
	h.Codec = data[CodecAt]
	h.ExpiresAt = int64(expiry)
	h.Version = backends.Version(binary.BigEndian.Uint64(data[VersionAt:]))
	h.Source = binary.BigEndian.Uint64(data[SourceAt:])
	h.Operation = binary.BigEndian.Uint64(data[OperationAt:])
	value = data[Size:]
	if data[FlagsAt]&HasNote != 0 {
		var ok bool
		if h.Note, value, ok = cutNote(value); !ok {
			return nil, damaged("with an impossible note")
		}
	}
	if h.Tombstone && len(value) > 0 {
		return nil, damaged("a deletion with a value")
	}
	return value, nil
}

// cutNote cuts the note off the data that begin with its length.
func cutNote(data []byte) (note, value []byte, ok bool) {
	if len(data) == 0 || data[0] == 0 || int(data[0]) > len(data)-1 || int(data[0]) > backends.MaxNoteSize {
		return nil, nil, false
	}
	end := 1 + int(data[0])
	return data[1:end], data[end:], true
}

// Earlier reports whether data may be of a format before this one, which the adapter
// reads itself.
func Earlier(data []byte) bool { return len(data) > 1 && data[0] == Magic && data[1] < 0x80 }

func damaged(reason string) error { return &backends.DamagedError{Reason: reason} }
