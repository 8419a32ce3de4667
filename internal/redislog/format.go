package redislog

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

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

// Encode returns a copy of value with its header in front.
func Encode(expiresAt int64, value []byte) []byte {
	h := header.Header{ExpiresAt: expiresAt}
	return h.Encode(value)
}

// Decode splits data into its header and the value, which shares its memory. It returns
// a [*backends.DamagedError] if no release can have made data, or a later one did that
// must be understood.
func Decode(data []byte) (h header.Header, value []byte, err error) {
	value, err = decode(&h, data)
	if err != nil {
		h = header.Header{}
	}
	return h, value, err
}

// decode is Decode. When it fails, h is of no use.
func decode(h *header.Header, data []byte) (value []byte, err error) {
	if header.Earlier(data) {
		*h, value, err = decodeFirst(data)
		return value, err
	}
	value, err = h.Decode(data)
	if err == nil {
		return value, nil
	}
	if failed, ok := errors.AsType[*backends.DamagedError](err); ok {
		err = damaged(failed.Reason)
	}
	return nil, err
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

// damaged returns the error of Get for bytes that Decode cannot read.
func damaged(reason string) error {
	return &backends.DamagedError{Reason: reason, Advice: "use WithRawValues for values of other programs"}
}

// EntryOf makes an entry of the results of Decode.
func EntryOf(h *header.Header, value []byte) backends.Entry[[]byte] {
	return backends.Entry[[]byte]{Value: value, ExpiresAt: expiry.Decode(h.ExpiresAt)}
}

// Answer reads a stored value. HeaderOnly says that the value was left out, because its
// version is the one that was asked for. P is nil without a log.
func Answer(p *Partition, data []byte, headerOnly bool, now time.Time) (entry backends.Entry[[]byte], answer backends.Answer, err error) {
	var g backends.Got[[]byte]
	AnswerTo(&g, p, data, headerOnly, now)
	return g.Entry, g.Answer, g.Err
}

// AnswerTo is Answer, for the results of a batch. G is zero.
func AnswerTo(g *backends.Got[[]byte], p *Partition, data []byte, headerOnly bool, now time.Time) {
	var h header.Header
	value, err := decode(&h, data)
	if err != nil {
		g.Err = err
		return
	}
	if p != nil {
		p.See(h.Version)
	}
	h.AnswerTo(&g.Answer)
	expiresAt := expiry.Decode(h.ExpiresAt)
	switch {
	case h.Tombstone, !expiresAt.IsZero() && !now.Before(expiresAt):
		g.Answer.Found = backends.Miss
	case headerOnly:
		g.Answer.Found = backends.Unchanged
	default:
		g.Entry.Value, g.Entry.ExpiresAt = value, expiresAt
	}
}

// WholeHeader returns the header of a change that needs no log: with the codec, the
// operation and the note of w, and without versions.
func WholeHeader(w *backends.Write[[]byte]) header.Header {
	return header.Header{
		ExpiresAt: expiry.Encode(w.Entry.ExpiresAt), Codec: w.Codec, Operation: w.Operation, Note: w.Note,
	}
}
