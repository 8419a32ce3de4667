package otterbackend

import (
	"bytes"
	"math"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/tier"
)

// deleted is the expiry of an Item that stands for a deleted entry: one that is long
// past, so that reads need no other test.
const deleted int64 = 1

// change is the state that a [backends.Write] leaves beside the value.
type change struct {
	version   backends.Version
	source    uint64
	operation uint64
	forgetAt  int64 // never: as long as the entry is there
	note      []byte
	codec     uint8
}

// known returns the version and the source version of c, which may be nil.
func (c *change) known() (backends.Version, uint64) {
	if c == nil {
		return 0, 0
	}
	return c.version, c.source
}

// answer returns the answer of a store that has found c, which may be nil.
func (c *change) answer(found backends.Found) backends.Answer {
	if c == nil {
		return backends.Answer{Found: found}
	}
	return backends.Answer{
		Found: found, Version: c.version, Source: c.source, Operation: c.operation, Note: c.note, Codec: c.codec,
	}
}

// refuses returns why w is not made at now, or NotRefused. Old is the Item at its key,
// or the zero Item if there is none, and live says that it has not expired.
func refuses[V any](w *backends.Write[V], old *Item[V], live bool, now time.Time) backends.Refusal {
	version, source := old.change().known()
	switch {
	case !w.Before.IsZero() && now.After(w.Before):
		return backends.RefusedLate
	case !w.If.Holds(w.Kind == tier.Delete, version, live):
		return backends.RefusedCondition
	case w.Source != 0 && w.Source < source:
		return backends.RefusedSource
	default:
		return backends.NotRefused
	}
}

// itemOfWrite returns the Item that w puts at now in place of old. The set of an entry
// that has expired already deletes. Like a deletion, it keeps the source version that is
// there, so that older values stay out.
func itemOfWrite[V any](w *backends.Write[V], old *Item[V], version backends.Version, now time.Time) Item[V] {
	keep := w.Keep
	if keep == 0 {
		keep = backends.DefaultKeep
	}
	item := Item[V]{expiresAt: deleted}
	c := &change{
		version: version, source: w.Source, operation: w.Operation, note: bytes.Clone(w.Note), codec: w.Codec,
	}
	if w.Kind == tier.Set && !w.Entry.Expired(now) {
		item = ItemOf(w.Entry)
		if item.expiresAt != never {
			c.forgetAt = later(item.expiresAt, keep)
		}
	} else {
		_, source := old.change().known()
		c.source = max(c.source, source)
		c.forgetAt = later(expiry.Encode(now), keep)
	}
	item.more = &more{change: c}
	return item
}

// later returns at plus d, or the last instant if that is sooner.
func later(at int64, d time.Duration) int64 {
	if at > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return at + int64(d)
}
