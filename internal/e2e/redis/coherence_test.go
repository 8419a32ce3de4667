package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// newCoherent returns a cache of an instance of its own, with a bound of one second.
func newCoherent(t *testing.T, s *server.Redis) *tiercache.Cache[string] {
	t.Helper()
	o := clientOptions(s.Addr)
	o.MaxRetries = 2 // a connection may be cut
	client := redis.NewClient(o)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	l2, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	return newCoherentOver(t, l2)
}

func newCoherentOver(t *testing.T, l2 backends.Backend[[]byte]) *tiercache.Cache[string] {
	t.Helper()
	coded, err := backends.WithCodec(l2, backends.String())
	require.NoError(t, err)
	l1, err := otterbackend.New[string]()
	require.NoError(t, err)
	cache, err := tiercache.New("users", l1, coded,
		tiercache.WithCoherence(time.Second, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, cache.Close(context.WithoutCancel(t.Context())))
		require.NoError(t, l1.Close())
	})
	eventuallyTrusted(t, cache, 1)
	return cache
}

func eventuallyTrusted(t *testing.T, cache *tiercache.Cache[string], epoch uint32) {
	t.Helper()
	require.Eventually(t, func() bool {
		s := cache.Status().Coherence
		return s.Trusted && s.Epoch >= epoch
	}, 10*time.Second, time.Millisecond, "%+v", cache.Status())
}

// hit returns what a reader of the key gets, and from where.
func hit(t *testing.T, cache *tiercache.Cache[string]) (string, tier.ID) {
	t.Helper()
	entry, _, err := cache.GetEntry(t.Context(), "k")
	require.NoError(t, err)
	assert.False(t, entry.Stale)
	return entry.Value, entry.Tier
}

// Two instances over a real server: a write of one drops the copy of the other, a
// connection that is cut costs nothing, and after a loss each copy is compared.
func TestCoherence(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	checkCoherence(t, s, newCoherent(t, s), newCoherent(t, s))
}

func checkCoherence(t *testing.T, s *server.Redis, here, there *tiercache.Cache[string]) {
	t.Helper()
	set := func(value string) {
		require.NoError(t, there.Set(t.Context(), "k", value, time.Hour))
	}
	sees := func(value string) {
		t.Helper()
		require.Eventually(t, func() bool { // the message may come in the middle of the refill
			got, from := hit(t, here)
			return got == value && from == tier.L1
		}, 5*time.Second, time.Millisecond)
	}
	set("v1")
	sees("v1")
	set("v2")
	sees("v2")
	value, from := hit(t, there)
	assert.Equal(t, "v2", value)
	assert.Equal(t, tier.L1, from, "its own message leaves its copy")

	require.NoError(t, s.Admin.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
	eventually(t, "a connection is there again", func(ctx context.Context) error {
		return there.Set(ctx, "k", "v3", time.Hour)
	})
	sees("v3")
	assert.EqualValues(t, 1, here.Status().Coherence.Epoch, "the reader has caught up")

	require.NoError(t, s.Admin.FlushAll(t.Context()).Err())
	eventuallyTrusted(t, here, 2)
	value, _ = hit(t, here)
	assert.Empty(t, value, "L2 has lost it")
	eventuallyTrusted(t, there, 2)
	set("v4")
	sees("v4")
	require.Eventually(t, func() bool { // a write whose answer was cut off is open until its deadline
		return there.Status().Repair.Open == 0
	}, patience, time.Millisecond)
}
