package otterbackend

import (
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// versions issues the versions of one store: rising, and never twice. Each store
// has an era of its own, so that versions of two stores never compare.
type versions struct{ last atomic.Uint64 }

func newVersions() *versions {
	v := new(versions)
	v.last.Store(uint64(backends.MakeVersion(nextEra(), 0)))
	return v
}

// next returns a version that is greater than all before.
func (v *versions) next() backends.Version {
	for {
		last := v.last.Load()
		next := backends.Version(last + 1)
		if next.Seq() == 0 { // the era is full
			next = backends.MakeVersion(nextEra(), 1)
		}
		if v.last.CompareAndSwap(last, uint64(next)) {
			return next
		}
	}
}

// lastEra is the era that was begun last in this process.
var lastEra atomic.Uint32

// eraEpoch is the instant of era 0.
var eraEpoch = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

// nextEra returns an era that no other store of this process has: the number of
// seconds since 2020, or more. So it is hardly one of another process either.
func nextEra() uint32 {
	for {
		last := lastEra.Load()
		seconds := max(0, time.Since(eraEpoch)/time.Second)
		era := max(last+1, uint32(min(seconds, backends.MaxEra))) //nolint:gosec // within the limits
		if lastEra.CompareAndSwap(last, era) {
			return era
		}
	}
}
