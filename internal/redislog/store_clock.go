package redislog

import (
	"sync"
	"time"
)

// storeClock estimates the clock of the server. Each reply that tells its time is an
// observation: the time was taken between the request and the reply.
type storeClock struct {
	mu     sync.Mutex
	at     time.Time // ours, with a monotonic reading, when the server's was now
	now    time.Time
	within time.Duration
}

// drift is the part of the time that passes by which two clocks may come apart.
const drift = 1.0 / 2000

// observe takes in that the server's clock was now at some instant between begin and end.
func (c *storeClock) observe(begin, end, now time.Time) {
	within := end.Sub(begin)/2 + time.Microsecond
	now = now.Add(within)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() {
		expected, may := c.read(end)
		difference := now.Sub(expected).Abs()
		if within >= may && difference <= within+may {
			return // it says less than is known
		}
	}
	c.at, c.now, c.within = end, now, within
}

// read returns the estimate for an instant of our clock.
func (c *storeClock) read(at time.Time) (now time.Time, within time.Duration) {
	passed := at.Sub(c.at)
	return c.now.Add(passed), c.within + time.Duration(float64(passed.Abs())*drift)
}

// estimate returns false while nothing was observed.
func (c *storeClock) estimate() (now time.Time, within time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Time{}, 0, false
	}
	now, within = c.read(time.Now())
	return now, within, true
}
