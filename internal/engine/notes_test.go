package engine

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// A full list has room again when notes have ended, and is looked through once in a while only.
func TestNotes_Full(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s notes[struct{}]
		begin := time.Now()
		put := func(key string, ttl time.Duration) bool { return s.put(key, struct{}{}, time.Now().Add(ttl)) }
		for i := range maxNotes {
			ttl := time.Hour
			if i == 0 {
				ttl = time.Millisecond
			}
			assert.True(t, put(strconv.Itoa(i), ttl))
		}
		assert.False(t, put("none has ended", time.Hour))
		time.Sleep(sweepRest - 1)
		assert.False(t, put("one has ended, but nobody has looked", time.Hour))
		time.Sleep(time.Nanosecond)
		assert.True(t, put("the one", time.Hour))
		assert.Equal(t, sweepRest, time.Since(begin))
		time.Sleep(sweepRest)
		assert.False(t, put("all others are there", time.Hour))
	})
}
