package migration_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func beforeGoRedis(ctx context.Context, client *redis.Client, db database) (User, error) {
	users := cache.New(&cache.Options{
		Redis:      client,
		LocalCache: cache.NewTinyLFU(100_000, time.Minute),
	})
	var user User
	err := users.Once(&cache.Item{
		Ctx: ctx, Key: "user:42", Value: &user, TTL: time.Hour,
		Do: func(item *cache.Item) (any, error) { return db.User(item.Context(), "42") },
	})
	return user, err
}

// commands are those of Redis that the library uses; they remember the TTL of a SET.
type commands struct {
	redis.Cmdable
	ttl time.Duration
}

func (c *commands) Set(_ context.Context, _ string, _ any, ttl time.Duration) *redis.StatusCmd {
	c.ttl = ttl
	return redis.NewStatusResult("OK", nil)
}

func TestGoRedis_TTL(t *testing.T) {
	t.Parallel()
	for given, want := range map[time.Duration]time.Duration{
		0:                      time.Hour,
		500 * time.Millisecond: time.Hour,
		-1:                     0, // L2 is not written at all
		time.Minute:            time.Minute,
	} {
		seen := new(commands)
		err := cache.New(&cache.Options{Redis: seen}).Set(&cache.Item{Ctx: t.Context(), Key: "k", Value: User{}, TTL: given})
		require.NoError(t, err)
		assert.Equal(t, want, seen.ttl, "for a TTL of %s", given)
	}
}
