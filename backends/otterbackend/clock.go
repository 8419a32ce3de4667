package otterbackend

import "time"

// The system's clock decides whether an entry is served, and every hit of an
// entry that expires reads it. Nothing cheaper is exact:
//
//   - A coarse clock is as late as the goroutine that updates it. After a SIGSTOP,
//     a pause of the virtual machine, or on a starved processor, hits that come
//     before the next update would be served by a time that is long past. No
//     margin covers that, because no margin bounds it.
//   - The monotonic clock costs half, because [time.Now] reads two clocks, and it
//     is never late by itself. But it stands still while the machine is suspended,
//     and does not follow the system's clock when that is set. ExpiresAt is an
//     instant of the system's clock, so that all tiers and processes agree on it.
//
// So the choice is between ways to read the system's clock. Where there is one
// that costs half of time.Now, see [roughNow], it decides for entries whose end is
// not near; time.Now decides for the rest.

// nearEnd is how long before its end time.Now begins to decide about an entry. It is
// far more than the rounding of the rough clock, which is a microsecond.
const nearEnd = time.Millisecond

// alive reports whether an entry with that expiry may be served. Rough says that
// roughNow can be used.
func alive(expiresAt int64, rough bool) bool {
	if expiresAt == never {
		return true
	}
	if rough {
		if now, ok := roughNow(); ok && expiresAt-now > int64(nearEnd) {
			return true
		}
	}
	return expiresAt > time.Now().UnixNano()
}

// canUseRoughNow reports whether roughNow shows the time of time.Now. It does not
// in a testing/synctest bubble, whose time is not the system's.
func canUseRoughNow() bool {
	now, ok := roughNow()
	off := time.Now().UnixNano() - now
	return ok && off >= 0 && off < int64(time.Second)
}
