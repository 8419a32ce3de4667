package redislog

import "time"

// rest is how long a reader waits before it reads again, so that the server answers
// many readers with few large replies under load. An idle log is read at once.
type rest struct {
	last    time.Time // when there were messages
	current time.Duration
}

const (
	busy     = 5 * time.Millisecond // messages that come sooner after others are load
	minRest  = 250 * time.Microsecond
	someRest = 1500 * time.Microsecond // the most with few messages at a time
	maxRest  = 10 * time.Millisecond   // the most with many
	many     = 40
)

// after returns the time to rest after a read of n messages that ended at now.
func (r *rest) after(now time.Time, n int) time.Duration {
	switch {
	case n == 0:
		return 0
	case n >= ReadCount: // there are more already
		r.last = now
		return 0
	case r.last.IsZero() || now.Sub(r.last) > busy+r.current:
		r.current = 0
	default:
		limit := someRest
		if n >= many {
			limit = maxRest
		}
		r.current = min(max(minRest, 2*r.current), limit)
	}
	r.last = now
	return r.current
}
