package redisbackend_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

func TestRawValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t, redisbackend.WithRawValues(), redisbackend.WithKeyPrefix("p:"))

		// Others can read its values.
		require.NoError(t, b.Set(t.Context(), "never", value("v\x00")))
		require.NoError(t, b.Set(t.Context(), "mortal", expiring("w", 1500*time.Microsecond)))
		got, err := s.Get("p:never")
		require.NoError(t, err)
		assert.Equal(t, "v\x00", got)
		assert.Zero(t, s.TTL("p:never"))
		assert.Equal(t, 2*time.Millisecond, s.TTL("p:mortal"))

		// It can read the values of others.
		require.NoError(t, s.Set("p:theirs", "\xC1"))
		requireHit(t, b, "theirs", value("\xC1"))
		s.SetTTL("p:theirs", time.Minute)
		requireHit(t, b, "theirs", expiring("\xC1", time.Minute))
		require.NoError(t, s.Set("p:empty", ""))
		requireHit(t, b, "empty", value(""))

		require.NoError(t, b.Delete(t.Context(), "theirs"))
		assert.False(t, s.Exists("p:theirs"))
		requireMiss(t, b, "theirs")
	})
}

// Value and TTL must be of one entry, which takes one command, and the time is taken
// before it is sent.
func TestRawValues_Read(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		begin := time.Now()
		calls := 0
		b := s.backend(t, redisbackend.WithRawValues(), redisbackend.WithClock(func() time.Time {
			calls++
			return begin.Add(time.Duration(calls) * time.Second)
		}))
		require.NoError(t, s.Set("k", "v"))
		s.SetTTL("k", time.Minute)
		requireMiss(t, b, "other") // connects
		calls = 0
		sent := len(s.commands())
		got, ok, err := b.Get(t.Context(), "k")
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, begin.Add(time.Second+time.Minute), got.ExpiresAt)
		require.Len(t, s.commands(), sent+1)
		assert.True(t, strings.HasPrefix(s.commands()[sent], "eval "))
	})
}

func TestGetErrors(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]redisbackend.Option{"header": nil, "raw": {redisbackend.WithRawValues()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				client := s.client(t, func(o *redis.Options) { o.MaxRetries = -1 })
				b := newBackend(t, client, opts...)
				check := func(want, text string) {
					t.Helper()
					entry, ok, err := b.Get(t.Context(), secret)
					require.False(t, ok)
					require.Zero(t, entry)
					var failed *redisbackend.Error
					require.ErrorAs(t, err, &failed)
					assert.Equal(t, "get", failed.Op)
					assert.Equal(t, want, failed.ErrorType())
					require.ErrorContains(t, err, text)
					assert.NotContains(t, err.Error(), secret)
				}
				s.nextDials(errRefused)
				check("connection_refused", "redisbackend: get failed: dial: connection refused")
				_, err := s.Lpush(secret, "a list")
				require.NoError(t, err)
				check("WRONGTYPE", "redisbackend: get failed: the server answered WRONGTYPE: the key holds something other than a string")
				s.SetError("LOADING " + secret)
				check("LOADING", "the server is loading its data")
				s.SetError("ERR about " + secret)
				check("ERR", "redisbackend: get failed: the server answered ERR")
				s.SetError("")
				require.NoError(t, client.Close())
				check("closed", "client is closed")
			})
		})
	}
}

// The value that Get returns is a part of the reply, and that of Set is copied.
func TestValuesAreNotShared(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.backend(t)
	v := []byte("value")
	set, err := b.Stage(t.Context(), "k", backends.Entry[[]byte]{Value: v})
	require.NoError(t, err)
	copy(v, "other")
	require.NoError(t, set(t.Context()))
	requireHit(t, b, "k", value("value"))
}
