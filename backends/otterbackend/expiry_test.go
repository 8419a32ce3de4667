package otterbackend_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func TestExpiryIsExact(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{
		1, time.Millisecond, 499 * time.Millisecond, 500*time.Millisecond + 1, 999 * time.Millisecond, 70 * time.Second, time.Hour,
	} {
		t.Run(ttl.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := open(t)
				time.Sleep(123_456_789) // so that ticks and expiry do not coincide
				entry := backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(ttl)}
				mustSet(t, b, "k", entry)
				time.Sleep(ttl - 1)
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
	for name, create := range map[string]func(t *testing.T) *otterbackend.Backend[string]{
		"New": func(t *testing.T) *otterbackend.Backend[string] {
			t.Helper()
			return open(t, otterbackend.WithMaximumSize(100))
		},
		"New, versioned": func(t *testing.T) *otterbackend.Backend[string] {
			t.Helper()
			return open(t, otterbackend.WithMaximumSize(100), otterbackend.WithVersions())
		},
		"FromCache": func(t *testing.T) *otterbackend.Backend[string] {
			t.Helper()
			return fromCache(t, otterbackend.Expiry[string]())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := create(t)
				keep := time.Duration(0)
				if backends.DescriptionOf(b).Abilities.Versions {
					keep = backends.DefaultKeep
				}
				// Half of them replace others, and half have expired already.
				for i := range 50 {
					mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{})
				}
				for i := range 100 {
					ttl := time.Minute
					if i%2 == 0 {
						ttl = -time.Minute
					}
					mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{ExpiresAt: time.Now().Add(ttl)})
				}
				synctest.Wait()
				require.GreaterOrEqual(t, b.Stats().Entries, 50)
				time.Sleep(keep + 2*time.Second)
				require.Equal(t, 50, b.Stats().Entries)
				time.Sleep(time.Minute - 3*time.Second)
				require.Equal(t, 50, b.Stats().Entries, "entries were freed before they have expired")
				time.Sleep(3 * time.Second)
				synctest.Wait()
				require.Zero(t, b.Stats().Entries, "expired entries are still in memory")
				require.Zero(t, b.Stats().Evictions)
			})
		})
	}
}

// Entries that come while others are freed expire too.
func TestExpiryIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		for i := range 100 {
			mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{ExpiresAt: time.Now().Add(time.Duration(i) * 700 * time.Millisecond)})
			mustSet(t, b, "never", backends.Entry[string]{Value: "v"})
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, b.Stats().Entries)
		requireHit(t, b, "never", backends.Entry[string]{Value: "v"})
	})
}

// Walks are not made for nothing.
func TestNextSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		latest := time.Unix(0, 1<<63-1)
		mustSet(t, b, "never", backends.Entry[string]{})
		require.Equal(t, latest, otterbackend.NextSweep(b))
		first, second := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
		for _, expiresAt := range []time.Time{second, first, second} {
			mustSet(t, b, expiresAt.String(), backends.Entry[string]{ExpiresAt: expiresAt})
		}
		require.True(t, first.Equal(otterbackend.NextSweep(b)))
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		require.True(t, second.Equal(otterbackend.NextSweep(b)))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, latest, otterbackend.NextSweep(b))
	})
}

// An entry that has expired, and was not freed yet, is no eviction.
func TestEvictedAfterItsExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, otterbackend.WithMaximumSize(10))
		require.NoError(t, b.Close()) // nothing is freed any more
		for i := range 10 {
			mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{ExpiresAt: time.Now().Add(time.Second)})
		}
		time.Sleep(time.Minute)
		for i := 100; i < 130; i++ {
			mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{})
		}
		stats := b.Stats()
		require.Equal(t, 10, stats.Entries)
		require.EqualValues(t, 30-hits(t, b, 130), stats.Evictions)
		require.Less(t, stats.Evictions, uint64(30))
	})
}
