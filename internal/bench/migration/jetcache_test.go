package migration_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	cache "github.com/mgtv-tech/jetcache-go"
	"github.com/mgtv-tech/jetcache-go/local"
	"github.com/mgtv-tech/jetcache-go/remote"
	"github.com/mgtv-tech/jetcache-go/stats"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func beforeJetcache(ctx context.Context, client *redis.Client, db database) (User, error) {
	users := cache.New(cache.WithName("users"),
		cache.WithLocal(local.NewTinyLFU(100_000, time.Minute)),
		cache.WithRemote(remote.NewGoRedisV9Adapter(client)),
		cache.WithErrNotFound(sql.ErrNoRows))
	defer users.Close()

	var user User
	err := users.Once(ctx, "user:42", cache.Value(&user), cache.TTL(time.Hour),
		cache.Do(func(ctx context.Context) (any, error) { return db.User(ctx, "42") }))
	return user, err
}

// memory is a remote cache that remembers the TTL of a write.
type memory struct {
	remote.Remote
	ttl time.Duration
}

func (m *memory) SetEX(_ context.Context, _ string, _ any, ttl time.Duration) error {
	m.ttl = ttl
	return nil
}

func TestJetcache_TTL(t *testing.T) {
	t.Parallel()
	for given, want := range map[time.Duration]time.Duration{
		0:                      time.Hour,
		500 * time.Millisecond: time.Hour,
		time.Minute:            time.Minute,
	} {
		seen := new(memory)
		users := cache.New(cache.WithName("users"), cache.WithRemote(seen), cache.WithStatsHandler(stats.NewHandles(true)))
		require.NoError(t, users.Set(t.Context(), "k", cache.Value(User{}), cache.TTL(given)))
		assert.Equal(t, want, seen.ttl, "for a TTL of %s", given)
		users.Close()
	}
}
