package badgerbackend_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

func TestExpiryIsExact(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{
		1, time.Millisecond, 999*time.Millisecond + 999_999, time.Second, time.Second + 1, 90 * time.Second,
	} {
		for _, begin := range []time.Duration{0, 1, 300 * time.Millisecond, 999_999_999} {
			t.Run(ttl.String()+" from "+begin.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := openInMemory(t)
					time.Sleep(begin) // a bubble's time begins with a full second
					entry := backends.Entry[[]byte]{Value: []byte("v"), ExpiresAt: time.Now().Add(ttl)}
					mustSet(t, b, "k", entry)
					time.Sleep(ttl - 1)
					requireHit(t, b, "k", entry)
					time.Sleep(time.Nanosecond)
					requireMiss(t, b, "k")
				})
			})
		}
	}
}

// Badger is told how long an entry and its versions are needed, or it would never free
// the space.
func TestExpiryIsKnownToBadger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, b := openDB(t, inMemory())
		inBadger := func(key string) error {
			return db.View(func(txn *badger.Txn) error {
				_, err := txn.Get([]byte(key))
				return err
			})
		}
		mustSet(t, b, "mortal", backends.Entry[[]byte]{ExpiresAt: time.Now().Add(1500 * time.Millisecond)})
		mustSet(t, b, "immortal", backends.Entry[[]byte]{})
		mustSet(t, b, "deleted", backends.Entry[[]byte]{})
		require.NoError(t, b.Delete(t.Context(), "deleted"))
		time.Sleep(backends.DefaultKeep - 1)
		require.NoError(t, inBadger("deleted"))
		time.Sleep(time.Nanosecond)
		require.ErrorIs(t, inBadger("deleted"), badger.ErrKeyNotFound)
		time.Sleep(2*time.Second - 1)
		require.NoError(t, inBadger("mortal"))
		time.Sleep(time.Nanosecond)
		require.ErrorIs(t, inBadger("mortal"), badger.ErrKeyNotFound)
		require.NoError(t, inBadger("immortal"))
	})
}

func TestReplacingChangesTheExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir())
		now := time.Now()
		lives := map[string]time.Time{
			"never": {}, "minute": now.Add(time.Minute), "hour": now.Add(time.Hour), "past": now.Add(-time.Minute),
		}
		want := make(map[string]backends.Entry[[]byte])
		for first, a := range lives {
			for second, z := range lives {
				key := first + " " + second
				for i, expiresAt := range []time.Time{a, z} {
					want[key] = backends.Entry[[]byte]{Value: []byte(strconv.Itoa(i)), ExpiresAt: expiresAt}
					mustSet(t, b, key, want[key])
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
	latest := time.Unix(0, 1<<63-1)
	for name, test := range map[string]struct{ set, get time.Time }{
		"the latest":       {latest, latest},
		"the year 9999":    {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), latest},
		"the Unix epoch":   {set: time.Unix(0, 0)},
		"before the epoch": {set: time.Unix(-1, 500)},
		// Its nanoseconds overflow into the future.
		"the year 1500":      {set: time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)},
		"the year 2":         {set: time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC)},
		"the year 1, nearly": {set: time.Time{}.Add(time.Nanosecond)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openInMemory(t)
			mustSet(t, b, "k", value("old"))
			mustSet(t, b, "k", backends.Entry[[]byte]{Value: []byte("v"), ExpiresAt: test.set})
			if test.get.IsZero() {
				requireMiss(t, b, "k")
			} else {
				requireHit(t, b, "k", backends.Entry[[]byte]{Value: []byte("v"), ExpiresAt: test.get})
			}
		})
	}
}

// An entry that expires between Stage and its write must not bring itself back.
func TestStagedEntryExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openInMemory(t)
		mustSet(t, b, "k", value("old"))
		set, err := b.Stage(t.Context(), "k", backends.Entry[[]byte]{Value: []byte("v"), ExpiresAt: time.Now().Add(time.Second)})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		requireHit(t, b, "k", value("old"))
		require.NoError(t, set(t.Context()))
		requireMiss(t, b, "k")
	})
}
