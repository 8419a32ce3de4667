package migration_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"

	"github.com/tiercache/tiercache"
)

// The programs of before are compiled; that of after runs, over a Redis that is down.
var (
	_ = beforeGoRedis
	_ = beforeJetcache
	_ = beforeGocache
)

func TestAfter(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	user, err := after(t.Context(), client, database{})
	require.NoError(t, err)
	assert.Equal(t, User{Name: "Ada"}, user)
}

// A TTL of 0 is for ever, and one below a second is what it says.
func TestAfter_TTL(t *testing.T) {
	t.Parallel()
	l2 := backendtest.NewMap[User]()
	users, err := tiercache.New("users", backendtest.NewMap[User](), l2)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, users.Close(t.Context())) })

	require.NoError(t, users.Set(t.Context(), "k", User{}, 0))
	entry, ok, err := l2.Get(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, ok)
	assert.True(t, entry.ExpiresAt.IsZero())

	begin := time.Now()
	require.NoError(t, users.Set(t.Context(), "k", User{}, 500*time.Millisecond))
	entry, _, err = l2.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.WithinDuration(t, begin.Add(500*time.Millisecond), entry.ExpiresAt, 400*time.Millisecond)
	require.ErrorIs(t, users.Set(t.Context(), "k", User{}, -1), tiercache.ErrInvalid)
}
