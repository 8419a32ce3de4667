package otterbackend

import "github.com/tiercache/tiercache/backends"

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
