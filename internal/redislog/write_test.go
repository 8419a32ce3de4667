package redislog

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// A write that is sent again, or by two goroutines at once, leaves the words of its other
// calls as they are: whoever got them may still look at them.
func TestWrite_CallAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for name, w := range map[string]backends.Write[[]byte]{
		"set":    {},
		"change": {If: backends.NotNewer(7), Source: 8},
		"delete": {Kind: tier.Delete},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.Key = "k"
			if w.Kind != tier.Delete {
				w.Kind, w.Entry.Value, w.Entry.ExpiresAt = tier.Set, []byte("v"), now.Add(time.Hour)
			}
			at := parsePlace("9 token nonce")
			c := New("p:", 1, DefaultLength).Prepare(&w)
			first := c.Call(at, now)
			assert.LessOrEqual(t, len(first.Words), MaxWords)
			before := slices.Clone(first.Words)
			var calls sync.WaitGroup
			for range 2 {
				calls.Go(func() {
					later := c.Call(at, now.Add(time.Minute)).Words
					assert.NotEqual(t, before, later, "the TTL is shorter, or the tombstone another")
				})
			}
			calls.Wait()
			assert.Equal(t, before, first.Words)
		})
	}
}
