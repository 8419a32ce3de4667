package ledger

import (
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Cause is the reason for which the tiers of a key may differ.
type Cause uint8

// The causes.
const (
	Unknown Cause = iota // nobody knows whether L2 has the write
	Missing              // L2 certainly lacks a Set that L1 has
	Kept                 // L2 kept what a Delete should remove
	NoTier               // neither tier has a Set, so both have what is older than the source
	Stale                // L1 may have what is older than L2
)

// Causes is the number of causes.
const Causes = int(Stale) + 1

// String returns the cause's name in telemetry.
func (c Cause) String() string {
	return [...]string{"unknown", "missing", "kept", "no_tier", "stale"}[c]
}

// Resolution is the end of an event.
type Resolution uint8

// The resolutions.
const (
	Applied    Resolution = iota // L2 has the write: it was there, or the repair made it
	Superseded                   // L2, or a later write of this cache, has something newer
	RolledBack                   // neither tier has the write, nor ever will
	Expired                      // the value reached its expiry
	Dropped                      // L1 dropped its copy, and nothing is known of L2
)

// Resolutions is the number of resolutions.
const Resolutions = int(Dropped) + 1

// String returns the resolution's name in telemetry.
func (r Resolution) String() string {
	return [...]string{"applied", "superseded", "rolled_back", "expired", "dropped"}[r]
}

// Entry is one diverged key.
type Entry struct {
	Key   string
	Kind  tier.Kind // of the newest write: tier.Set or tier.Delete
	Cause Cause

	Operation uint64           // of the newest write
	Base      backends.Version // the greatest one known before that write began; 0: proves nothing
	Source    uint64           // version of the value's source; 0: none

	// Generation is that of the ledger before the base was known. A base of an earlier
	// one is not taken.
	Generation uint64

	ExpiresAt time.Time // of the value, in both tiers; zero: never
	Note      Note      // of the newest write that diverged

	// Held says that L1 has the value of the newest write, under no version of L2. It
	// may have lost it since.
	Held bool

	// Decided says that L2 had to decide the write by a condition, so it must not be
	// made again without.
	Decided bool

	// Undo says that the repair removes what is older than the write, because the value
	// is not there any more. Operation is that of the removal.
	Undo bool

	// Landed says that L2 has applied the newest write, and an older one may still arrive.
	Landed bool

	// Fenced says that L2 refuses all requests of the key after Until. Otherwise Until is
	// merely the time at which none is likely to be under way.
	Fenced bool
	Until  time.Time

	Since time.Time // the oldest event's time

	next     time.Time // of an attempt
	attempts int       // that have failed since the newest write
	index    int       // in the heap
}

// Attempts returns how many attempts of a repair have failed since the newest write.
func (e *Entry) Attempts() int { return e.attempts }

// Admits reports whether a copy in L2 is certainly not older than the write.
func (e *Entry) Admits(v backends.Version, operation uint64) bool {
	if operation == e.Operation && operation != 0 {
		return !e.Undo
	}
	return e.Base != 0 && e.Base.Era() == v.Era() && v > e.Base
}

// Note is the trace context of a write: as [backends.Write.Note] has it, if Len is not 0.
type Note struct {
	Len  uint8
	Data [25]byte
}

// MakeNote returns the note with these bytes; a longer one has none.
func MakeNote(data []byte) (n Note) {
	if len(data) <= len(n.Data) {
		n.Len = uint8(copy(n.Data[:], data)) //nolint:gosec // at most 25
	}
	return n
}

// Bytes returns the bytes of n.
func (n *Note) Bytes() []byte { return n.Data[:n.Len] }
