package badgerbackend

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/header"
	"github.com/tiercache/tiercache/tier"
)

// earlierSize is the length of the header that earlier releases wrote: the magic byte
// and the expiry.
const earlierSize = 1 + 8

// record is one key's state: an entry, or the versions of one that has expired or was
// deleted.
type record struct {
	header header.Header
	value  []byte // badger's memory
}

// decode reads a record, also of the earlier format, whose version is 0. It returns a
// [*backends.DamagedError] if no release can have made data.
func decode(data []byte) (record, error) {
	if header.Earlier(data) {
		if len(data) < earlierSize {
			return record{}, &backends.DamagedError{Reason: "too short for a header"}
		}
		expiresAt := binary.BigEndian.Uint64(data[1:])                                                    // Earlier says that it is no negative number
		return record{header: header.Header{ExpiresAt: int64(expiresAt)}, value: data[earlierSize:]}, nil //nolint:gosec // see above
	}
	h, value, err := header.Decode(data)
	return record{header: h, value: value}, err
}

// live reports whether r is an entry that has not expired.
func (r *record) live(now time.Time) bool {
	return !r.header.Tombstone && !expired(r.header.ExpiresAt, now)
}

// entry returns a copy of the entry.
func (r *record) entry() backends.Entry[[]byte] {
	return backends.Entry[[]byte]{
		Value: append([]byte{}, r.value...), ExpiresAt: expiry.Decode(r.header.ExpiresAt),
	}
}

// answer returns a copy of all but the entry.
func (r *record) answer(found backends.Found) backends.Answer {
	a := r.header.Answer()
	a.Found, a.Note = found, append([]byte(nil), a.Note...)
	return a
}

// refuses returns why w is not made at now over r, which is nil if there is nothing at
// its key.
func (r *record) refuses(w *backends.Write[[]byte], now time.Time) backends.Refusal {
	var version backends.Version
	var source uint64
	live := false
	if r != nil {
		version, source, live = r.header.Version, r.header.Source, r.live(now)
	}
	switch {
	case late(w, now):
		return backends.RefusedLate
	case !w.If.Holds(w.Kind == tier.Delete, version, live):
		return backends.RefusedCondition
	case w.Source != 0 && w.Source < source:
		return backends.RefusedSource
	default:
		return backends.NotRefused
	}
}

func late(w *backends.Write[[]byte], now time.Time) bool {
	return !w.Before.IsZero() && now.After(w.Before)
}

// removes reports whether w removes the entry of its key. The set of an entry that has
// expired does.
func removes(w *backends.Write[[]byte], now time.Time) bool {
	return w.Kind == tier.Delete || w.Entry.Expired(now)
}

// headerOf returns the header that w leaves at now, and the instant from which on it is
// not needed. Source is the source version that is at the key: a deletion keeps it, so
// that older values stay out.
func headerOf(w *backends.Write[[]byte], version backends.Version, source uint64, now time.Time) (h header.Header, forgetAt int64) {
	keep := w.Keep
	if keep == 0 {
		keep = backends.DefaultKeep
	}
	h = header.Header{Codec: w.Codec, Version: version, Source: w.Source, Operation: w.Operation, Note: w.Note}
	if removes(w, now) {
		h.Tombstone, h.Source = true, max(w.Source, source)
		h.ExpiresAt = later(expiry.Encode(now), keep)
		return h, h.ExpiresAt
	}
	h.ExpiresAt = expiry.Encode(w.Entry.ExpiresAt)
	if h.ExpiresAt == expiry.Never {
		return h, expiry.Never
	}
	return h, later(h.ExpiresAt, keep)
}

// badgerEntry returns the entry that badger stores.
func badgerEntry(stored []byte, h header.Header, value []byte, forgetAt int64) *badger.Entry {
	if h.Tombstone {
		value = nil
	}
	return &badger.Entry{Key: stored, Value: h.Encode(value), ExpiresAt: nativeExpiry(forgetAt)}
}

// nativeExpiry returns expiresAt in badger's unit, rounded up, so that badger drops
// nothing that is still needed.
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

// later returns at plus d, or the last instant if that is sooner.
func later(at int64, d time.Duration) int64 {
	if at > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return at + int64(d)
}
