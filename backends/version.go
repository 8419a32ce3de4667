package backends

import "time"

// Version is the place of a change in the order of its store: of two changes of one key, the later
// one has the greater version. It is never used twice, even after the key was deleted. 0 means
// unknown.
//
// A version has two parts. A store that loses its order, because its log was deleted
// for instance, begins a new era: versions of different eras do not compare, and an
// entry of another era than the current one counts as stale.
type Version uint64

// seqBits is the size of the place within an era: at 5,000 writes a second it lasts
// for 54 years.
const seqBits = 33

// Limits of the parts of a [Version].
const (
	MaxEra = 1<<(64-seqBits) - 1
	MaxSeq = 1<<seqBits - 1
)

// MakeVersion returns the version at place seq of an era. Bits beyond [MaxEra] and
// [MaxSeq] are lost.
func MakeVersion(era uint32, seq uint64) Version {
	return Version(era)<<seqBits | Version(seq&MaxSeq)
}

// Era returns the era of v.
func (v Version) Era() uint32 { return uint32(v >> seqBits) } //nolint:gosec // 31 bits are left

// Seq returns the place of v in its era.
func (v Version) Seq() uint64 { return uint64(v & MaxSeq) }

// Covers reports whether v is known to be as new as o, or newer: both are of one era,
// and v is not less than o. Nothing is known of a version that is 0.
func (v Version) Covers(o Version) bool {
	return v != 0 && o != 0 && v.Era() == o.Era() && v >= o
}

// Clocked is a [Backend] that knows its store's clock, by which the store decides
// [Write.Before].
type Clocked interface {
	// StoreTime returns the store's time now, and by how much the estimate may be
	// wrong. Ok is false while nothing is known of the store's clock.
	StoreTime() (now time.Time, within time.Duration, ok bool)
}
