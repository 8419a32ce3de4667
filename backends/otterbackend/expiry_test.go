package otterbackend_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func TestExpiryIsExact(t *testing.T) {
	t.Parallel()
	for _, life := range []time.Duration{
		1, time.Millisecond, 499 * time.Millisecond, 500*time.Millisecond + 1, 999 * time.Millisecond, 70 * time.Second, time.Hour,
	} {
		t.Run(life.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := open(t)
				time.Sleep(123_456_789) // so that ticks and expiry do not coincide
				entry := backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(life)}
				mustSet(t, b, "k", entry)
				time.Sleep(life - 1)
				requireHit(t, b, "k", entry)
				time.Sleep(time.Nanosecond)
				requireMiss(t, b, "k")
			})
		})
	}
}

func TestReplacingChangesTheExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		now := time.Now()
		lives := map[string]time.Time{
			"never": {}, "minute": now.Add(time.Minute), "hour": now.Add(time.Hour), "past": now.Add(-time.Minute),
		}
		// Otter updates an entry in place or puts a new one, depending on how
		// often and how it was replaced: all chains of three are tried.
		want := make(map[string]backends.Entry[string])
		for first, a := range lives {
			for second, b2 := range lives {
				for third, c := range lives {
					key := first + " " + second + " " + third
					for i, expiresAt := range []time.Time{a, b2, c} {
						want[key] = backends.Entry[string]{Value: strconv.Itoa(i), ExpiresAt: expiresAt}
						mustSet(t, b, key, want[key])
					}
				}
			}
		}
		check := func() {
			t.Helper()
			for key, entry := range want {
				if entry.Expired(time.Now()) {
					requireMiss(t, b, key)
				} else {
					requireHit(t, b, key, entry)
				}
			}
		}
		check()
		time.Sleep(time.Minute)
		check()
		time.Sleep(time.Hour)
		check()
	})
}

func TestExpiryBeyondTheClocksRange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expiresAt time.Time
		hit       bool
	}{
		"the year 9999":     {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), true},
		"after int64 nanos": {time.Unix(1<<34, 0), true},
		"the Unix epoch":    {time.Unix(0, 0), false},
		"the year 1500":     {time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), false}, // its nanoseconds overflow
		"the year 2":        {time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := open(t)
				entry := backends.Entry[string]{Value: "v", ExpiresAt: test.expiresAt}
				mustSet(t, b, "k", backends.Entry[string]{Value: "old"})
				mustSet(t, b, "k", entry)
				for range 2 {
					if test.hit {
						latest := time.Unix(0, 1<<63-1)
						requireHit(t, b, "k", backends.Entry[string]{Value: "v", ExpiresAt: latest})
					} else {
						requireMiss(t, b, "k")
					}
					time.Sleep(time.Hour)
				}
			})
		})
	}
}

func TestExpiredEntriesMakeRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := otter.Must(&otter.Options[string, otterbackend.Item[string]]{
			MaximumSize:      100,
			ExpiryCalculator: otterbackend.Expiry[string](),
		})
		defer cache.StopAllGoroutines()
		b, err := otterbackend.FromCache(cache)
		require.NoError(t, err)
		// Half of them replace others, and half have expired already.
		for i := range 50 {
			mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{})
		}
		for i := range 100 {
			life := time.Minute
			if i%2 == 0 {
				life = -time.Minute
			}
			mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{ExpiresAt: time.Now().Add(life)})
		}
		synctest.Wait()
		require.GreaterOrEqual(t, cache.EstimatedSize(), 50)
		time.Sleep(time.Minute + 2*time.Second)
		synctest.Wait()
		require.Zero(t, cache.EstimatedSize(), "expired entries are still in memory")
	})
}
