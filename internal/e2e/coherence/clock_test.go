package coherence

import (
	"time"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// clock reads the monotonic clock that all processes of the machine share.
type clock struct {
	begun time.Time
	at    int64 // of the shared clock, when begun was read
}

// clockError is how far the clocks of two processes may be apart.
const clockError = 20 * time.Microsecond

// newClock reads both clocks one between two readings of the other, until nothing came in
// between.
func newClock() (clock, error) {
	for {
		before, err := server.SharedNow()
		if err != nil {
			return clock{}, err
		}
		begun := time.Now()
		after, err := server.SharedNow()
		if err != nil {
			return clock{}, err
		}
		if after-before < int64(clockError) {
			return clock{begun, before}, nil
		}
	}
}

// now returns nanoseconds of the shared clock.
func (c *clock) now() int64 { return c.at + int64(time.Since(c.begun)) }
