package otterbackend

import (
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Parts of the clocks, for tests.
var (
	Alive          = alive
	RoughNow       = roughNow
	CanUseRoughNow = canUseRoughNow
)

// NextVersionAfter returns the two versions that a store gives after v.
func NextVersionAfter(v backends.Version) (first, second backends.Version) {
	var versions versions
	versions.last.Store(uint64(v))
	return versions.next(), versions.next()
}

// Sweep walks over all entries of b.
func Sweep[V any](b *Backend[V]) {
	b.due.add(1)
	b.sweep(time.Now().UnixNano())
}

// NextSweep returns the instant before which b walks no more.
func NextSweep[V any](b *Backend[V]) time.Time { return time.Unix(0, b.due.at.Load()) }
