package redislog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStoreClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c storeClock
		_, _, ok := c.estimate()
		assert.False(t, ok)

		const ahead = time.Hour
		observe := func(roundTrip time.Duration, skew time.Duration) {
			begin := time.Now()
			time.Sleep(roundTrip / 4)
			server := time.Now().Add(skew)
			time.Sleep(roundTrip - roundTrip/4)
			c.observe(begin, time.Now(), server)
		}
		check := func(skew, within time.Duration) {
			t.Helper()
			now, may, ok := c.estimate()
			assert.True(t, ok)
			assert.LessOrEqual(t, now.Sub(time.Now().Add(skew)).Abs(), may, "the estimate is wrong")
			assert.InDelta(t, within, may, float64(5*time.Microsecond))
		}
		observe(10*time.Millisecond, ahead)
		check(ahead, 5*time.Millisecond)
		observe(time.Second, ahead) // says less
		check(ahead, 5*time.Millisecond+time.Second/2000)
		observe(time.Millisecond, ahead)
		check(ahead, time.Millisecond/2)
		time.Sleep(10 * time.Second) // clocks come apart
		check(ahead, time.Millisecond/2+10*time.Second/2000)
		observe(4*time.Millisecond, ahead)
		check(ahead, 2*time.Millisecond)
		observe(time.Second, -ahead) // the clock was set: what was known is wrong
		check(-ahead, time.Second/2)
	})
}
