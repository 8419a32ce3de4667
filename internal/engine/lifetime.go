package engine

import (
	"math/rand/v2"
	"time"
)

// lifetime decides how long entries are kept in L1 and which of them are fresh.
type lifetime struct {
	l1TTL    time.Duration // limit in L1; 0: none
	jitter   float64       // part of l1TTL by which it is shortened at random
	staleFor time.Duration // kept in L1 after they have expired; 0: not at all
	ahead    float64       // part of the TTL that is left when a refresh is due; 0: never
	refill   time.Duration // limit of an entry of L2; 0: none
}

// expiry returns the instant at which an entry expires that is made now. It has no
// monotonic reading, which would not survive in L2: the tiers would disagree after
// the clock was set.
func expiry(ttl time.Duration) time.Time { return time.Now().Add(ttl).Round(0) }

// rewrites reports whether entries in L1 expire at another time than those in L2.
func (l *lifetime) rewrites() bool { return l.l1TTL > 0 || l.staleFor > 0 }

// inL1 returns the instant at which L1 drops an entry that expires at the given time.
func (l *lifetime) inL1(expiresAt time.Time) time.Time {
	if !l.rewrites() {
		return expiresAt
	}
	return l.rewritten(expiresAt)
}

// rewritten is apart from inL1, which is inlined.
func (l *lifetime) rewritten(expiresAt time.Time) time.Time {
	if l.l1TTL > 0 {
		ttl := l.l1TTL - time.Duration(rand.Float64()*l.jitter*float64(l.l1TTL)) //nolint:gosec // it spreads load
		if limit := expiry(ttl); expiresAt.IsZero() || limit.Before(expiresAt) {
			expiresAt = limit
		}
	}
	if l.staleFor > 0 && !expiresAt.IsZero() {
		expiresAt = expiresAt.Add(l.staleFor)
	}
	return expiresAt
}

// refillLimit returns the instant at which L1 drops an entry that L2 has now, at the latest,
// because nobody tells this process when L2 loses an entry of long ago. The zero time: never.
func (l *lifetime) refillLimit() (limit time.Time) {
	if l.refill > 0 {
		limit = expiry(l.refill)
	}
	return limit
}

// refilled returns the instant at which L1 drops an entry that L2 has, within a limit.
func (l *lifetime) refilled(expiresAt, limit time.Time) time.Time {
	if !limit.IsZero() && (expiresAt.IsZero() || limit.Before(expiresAt)) {
		expiresAt = limit
	}
	return l.inL1(expiresAt)
}

// kept returns the instant at which L1 drops a value that L2 did not take, and that
// would expire at the given time.
func (l *lifetime) kept(expiresAt time.Time, ttl time.Duration) time.Time {
	if limit := expiry(ttl); expiresAt.IsZero() || limit.Before(expiresAt) {
		expiresAt = limit
	}
	return l.inL1(expiresAt)
}

// admit reports whether an entry that L1 holds is fresh. It takes off the time for
// which L1 keeps it as a stale one.
func (l *lifetime) admit(expiresAt *time.Time) bool {
	if l.staleFor == 0 || expiresAt.IsZero() {
		return true // otherwise the backend would have let go of it
	}
	*expiresAt = expiresAt.Add(-l.staleFor)
	return time.Now().Before(*expiresAt)
}

// due reports whether an entry of L1 should be refreshed ahead of its expiry.
//
// With no more than the limit of refills left, it may be a copy of an entry that L2 has for
// longer, which counts as one with the TTL of that limit. By a long TTL it could be due as
// soon as it is in L1, in each process, and again when another one has refreshed it.
func (l *lifetime) due(expiresAt time.Time, ttl time.Duration) bool {
	if l.ahead == 0 || expiresAt.IsZero() {
		return false
	}
	if l.l1TTL > 0 && (ttl == 0 || l.l1TTL < ttl) {
		ttl = l.l1TTL
	}
	ttl = min(ttl, century) // the last expiry that a store knows may be sooner
	left := time.Until(expiresAt)
	if l.refill > 0 && left <= l.refill {
		ttl = min(ttl, l.refill)
	}
	return left < time.Duration(l.ahead*float64(ttl))
}
