package repair

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

const masterName = "shop"

// sentinels starts a server, a replica, and a sentinel that lets the replica take over.
func sentinels(t *testing.T) (master, replica, sentinel *server.Redis) {
	t.Helper()
	master = startServer(t)
	var err error
	replica, err = server.StartReplica(t.Context(), master)
	require.NoError(t, err)
	t.Cleanup(replica.Stop)
	sentinel, err = server.StartSentinel(t.Context(), masterName, master, 500*time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(sentinel.Stop)
	require.Eventually(t, func() bool {
		replicas, err := sentinel.Admin.Do(t.Context(), "sentinel", "replicas", masterName).Slice()
		return err == nil && len(replicas) > 0
	}, patience, 5*time.Millisecond, "the sentinel knows the replica")
	return master, replica, sentinel
}

func sentinelClient(addr string) redis.UniversalClient {
	o := clientOptions("")
	return redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: masterName, SentinelAddrs: []string{addr}, ContextTimeoutEnabled: true, MaxRetries: -1,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, DialerRetries: 1, DisableIdentity: true, PoolSize: o.PoolSize,
	})
}

func isMaster(ctx context.Context, r *server.Redis) bool {
	info, err := r.Admin.Info(ctx, "replication").Result()
	return err == nil && server.InfoField(info, "role") == "master"
}

// A replica takes over, which may lack the last writes. Users stop before it does.
func TestFailover(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	master, replica, sentinel := sentinels(t)
	s := &shared{t: t, server: replica}
	for _, p := range policies() {
		s.instances = append(s.instances, newInstanceOver(t, sentinelClient(sentinel.Addr), nil, p))
	}
	books := scrape(t, s.instances...)
	users := newTraffic(t, seed, restful, s.instances...)
	users.await(t, before)
	require.NoError(t, master.Pause())
	pause(t.Context(), callLimit/2)
	master.Kill()
	require.Eventually(t, func() bool { return isMaster(t.Context(), replica) }, patience, 5*time.Millisecond)
	stopped := users.stop()
	awaitQuiet(t, stopped, time.Now(), s.instances...)
	books.check(t)
	report(t, "%d outcomes were unknown, and %d writes failed otherwise", users.unknown.Load(), users.failed.Load())
	assert.Positive(t, users.unknown.Load())
	require.Eventually(t, func() bool { // its clients have found the other server
		return s.instances[0].Set(t.Context(), "any", "value", 0) == nil
	}, patience, 5*time.Millisecond)
	s.goOn()
	compareTiers(t, newL2(t, redis.NewClient(clientOptions(replica.Addr))), never, s.instances...)
}
