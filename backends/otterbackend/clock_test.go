package otterbackend_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// Outside of a bubble the rough clock decides until shortly before the end. A
// hit must have begun before the end, and a miss must end after it.
func TestExpiryIsExactByTheSystemsClock(t *testing.T) {
	t.Parallel()
	b := open(t)
	get := map[string]func(key string) (ok bool, err error){
		"Get": func(key string) (bool, error) {
			_, ok, err := b.Get(t.Context(), key)
			return ok, err
		},
		"GetValue": func(key string) (bool, error) {
			_, ok, err := b.GetValue(t.Context(), key)
			return ok, err
		},
	}
	var users sync.WaitGroup
	for name, get := range get {
		for _, ttl := range []time.Duration{500 * time.Microsecond, 3 * time.Millisecond, 20 * time.Millisecond} {
			key := name + ttl.String()
			expiresAt := time.Now().Add(ttl).Round(0)
			mustSet(t, b, key, backends.Entry[string]{ExpiresAt: expiresAt})
			users.Go(func() {
				for ok := true; ok; {
					before := time.Now().Round(0)
					hit, err := get(key)
					after := time.Now().Round(0)
					if !assert.NoError(t, err) ||
						!assert.False(t, hit && !before.Before(expiresAt), "a hit %v after the end", before.Sub(expiresAt)) ||
						!assert.False(t, !hit && after.Before(expiresAt), "a miss %v before the end", expiresAt.Sub(after)) {
						return
					}
					ok = hit
				}
			})
		}
	}
	users.Wait()
}

func TestAlive(t *testing.T) {
	t.Parallel()
	for _, rough := range []bool{false, otterbackend.CanUseRoughNow()} {
		for name, test := range map[string]struct {
			in   time.Duration
			want bool
		}{
			"long ago":  {-time.Hour, false},
			"just over": {-1, false},
			"soon":      {time.Minute, true},
			"far away":  {24 * time.Hour, true},
		} {
			expiresAt := time.Now().Add(test.in).UnixNano()
			assert.Equal(t, test.want, otterbackend.Alive(expiresAt, rough), "%s, rough: %v", name, rough)
		}
		assert.True(t, otterbackend.Alive(0, rough), "never expires")
	}
}

func TestRoughNow(t *testing.T) {
	t.Parallel()
	before := time.Now().UnixNano()
	now, ok := otterbackend.RoughNow()
	after := time.Now().UnixNano()
	require.Equal(t, ok, otterbackend.CanUseRoughNow())
	if ok {
		require.GreaterOrEqual(t, now, before-int64(time.Microsecond), "rounded by more than a microsecond")
		require.LessOrEqual(t, now, after, "ahead of the system's clock")
	}
}

// A bubble's time is not the system's, and may be ahead of it.
func TestBubblesHaveTheirOwnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		require.False(t, otterbackend.CanUseRoughNow())
		b := open(t)
		require.NoError(t, b.Close()) // so that nothing ticks for a century
		const century = 100 * 365 * 24 * time.Hour
		entry := backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(century)}
		mustSet(t, b, "k", entry)
		time.Sleep(century - 1)
		requireHit(t, b, "k", entry)
		time.Sleep(time.Nanosecond)
		requireMiss(t, b, "k")
	})
}
