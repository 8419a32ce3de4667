package redisbackend_test

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

func TestExpiryIsExact(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{1, time.Millisecond, time.Millisecond + 1, 90 * time.Second} {
		t.Run(ttl.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newServer(t).backend(t)
				entry := expiring("v", ttl)
				require.NoError(t, b.Set(t.Context(), "k", entry))
				time.Sleep(ttl - 1)
				requireHit(t, b, "k", entry)
				time.Sleep(time.Nanosecond)
				requireMiss(t, b, "k")
			})
		})
	}
}

// The key's own expiry frees the memory. It must not come early.
func TestExpiryOfTheKey(t *testing.T) {
	t.Parallel()
	for ttl, want := range map[time.Duration]time.Duration{
		0:                                 -1, // no key at all
		-time.Hour:                        -1,
		1:                                 time.Millisecond,
		time.Millisecond:                  time.Millisecond,
		time.Millisecond + 1:              2 * time.Millisecond,
		time.Hour + 999*time.Microsecond:  time.Hour + time.Millisecond,
		200 * 365 * 24 * time.Hour:        200 * 365 * 24 * time.Hour,
		time.Duration(math.MaxInt64) / 10: (time.Duration(math.MaxInt64) / 10).Truncate(time.Millisecond) + time.Millisecond,
	} {
		for name, opts := range map[string][]redisbackend.Option{"header": nil, "raw": {redisbackend.WithRawValues()}} {
			t.Run(name+" "+ttl.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					b := s.backend(t, opts...)
					require.NoError(t, s.Set("k", "old"))
					require.NoError(t, b.Set(t.Context(), "k", expiring("v", ttl)))
					if want < 0 {
						assert.False(t, s.Exists("k"))
						requireMiss(t, b, "k")
						return
					}
					assert.Equal(t, want, s.TTL("k"))
					_, ok, err := b.Get(t.Context(), "k")
					require.NoError(t, err)
					assert.True(t, ok)
				})
			})
		}
	}
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
		"the year 1, nearly": {set: time.Time{}.Add(time.Nanosecond)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.ClockTTL(false)
			b := s.backend(t)
			require.NoError(t, b.Set(t.Context(), "k", value("old")))
			require.NoError(t, b.Set(t.Context(), "k", backends.Entry[[]byte]{Value: []byte("v"), ExpiresAt: test.set}))
			if test.get.IsZero() {
				requireMiss(t, b, "k")
			} else {
				requireHit(t, b, "k", backends.Entry[[]byte]{Value: []byte("v"), ExpiresAt: test.get})
			}
		})
	}
}

// An entry that expires between Stage and its write must not bring itself back, and one
// that has waited gets its remaining TTL.
func TestStagedEntryAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		require.NoError(t, b.Set(t.Context(), "k", value("old")))
		entry := expiring("v", time.Minute)
		set, err := b.Stage(t.Context(), "k", entry)
		require.NoError(t, err)
		time.Sleep(59 * time.Second)
		requireHit(t, b, "k", value("old"))
		require.NoError(t, set(t.Context()))
		assert.Equal(t, time.Second, s.TTL("k"))
		requireHit(t, b, "k", entry)
		time.Sleep(time.Second)
		require.NoError(t, set(t.Context()))
		assert.False(t, s.Exists("k"))
	})
}

// The repetitions of an attempt age it too.
func TestRepeatedEntryAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		s.next(answer("READONLY no")) // and a pause of 8 ms at least
		require.NoError(t, b.Set(t.Context(), "k", expiring("v", time.Millisecond)))
		assert.False(t, s.Exists("k"))
		assert.Equal(t, "del k", s.commands()[len(s.commands())-1])
	})
}

// The reader's clock decides, whatever the server thinks.
func TestExpiryByTheReadersClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var skew time.Duration
		clock := redisbackend.WithClock(func() time.Time { return time.Now().Add(skew) })
		writer, reader := s.backend(t), s.backend(t, clock)
		entry := expiring("v", time.Minute)
		require.NoError(t, writer.Set(t.Context(), "k", entry))
		skew = time.Minute - 1
		requireHit(t, reader, "k", entry)
		skew = time.Minute
		requireMiss(t, reader, "k")
		skew = -time.Hour
		requireHit(t, reader, "k", entry)

		skew = time.Hour // a writer that is ahead
		require.NoError(t, reader.Set(t.Context(), "k", entry))
		requireMiss(t, writer, "k")
	})
}

func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		requireMiss(t, b, "k") // connects
		begin := len(s.commands())
		require.NoError(t, b.Set(t.Context(), "k", value("v")))
		require.NoError(t, b.Set(t.Context(), "k", expiring("v", time.Second)))
		require.NoError(t, b.Set(t.Context(), "k", expiring("v", 0)))
		requireMiss(t, b, "k")
		require.NoError(t, b.Delete(t.Context(), "k"))
		var names []string
		for _, command := range s.commands()[begin:] {
			name, _, _ := strings.Cut(command, " ")
			names = append(names, name)
		}
		assert.Equal(t, []string{"set", "set", "del", "get", "del"}, names)
	})
}
