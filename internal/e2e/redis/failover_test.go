package redis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/writepolicy"
)

// replicated is a deployment in which a replica takes over.
type replicated struct {
	client, direct redis.UniversalClient
	master         *server.Redis                   // of the key
	promote        func(ctx context.Context) error // asks the replica to take over, in agreement with the master; may be nil
}

func newReplicatedCluster(t *testing.T, m *triggers) replicated {
	t.Helper()
	c := startCluster(t, true)
	i, err := c.MasterOf(t.Context(), key)
	require.NoError(t, err)
	options := func() *redis.ClusterOptions {
		return &redis.ClusterOptions{Addrs: c.Addrs(), ContextTimeoutEnabled: true, DialTimeout: time.Second}
	}
	o := options()
	o.Dialer = m.dial
	return replicated{
		client: redis.NewClusterClient(o), direct: redis.NewClusterClient(options()), master: c.Masters[i],
		promote: func(ctx context.Context) error { return c.Replicas[i].Admin.ClusterFailover(ctx).Err() },
	}
}

func newSentinels(t *testing.T, m *triggers) replicated {
	t.Helper()
	master := startRedis(t)
	replica, err := server.StartReplica(t.Context(), master)
	require.NoError(t, err)
	t.Cleanup(replica.Stop)
	sentinel := startSentinel(t, master)
	eventually(t, "the sentinel knows the replica", func(ctx context.Context) error {
		replicas, err := sentinel.Admin.Do(ctx, "sentinel", "replicas", masterName).Slice()
		if err == nil && len(replicas) == 0 {
			err = errors.New("it knows none")
		}
		return err
	})
	options := func() *redis.FailoverOptions {
		return &redis.FailoverOptions{
			MasterName: masterName, SentinelAddrs: []string{sentinel.Addr}, ContextTimeoutEnabled: true,
			DialTimeout: time.Second, DialerRetries: 1,
		}
	}
	o := options()
	o.Dialer = m.dial
	return replicated{
		client: redis.NewFailoverClient(o), direct: redis.NewFailoverClient(options()), master: master,
	}
}

// Writes go on while a replica takes over: because its master was killed, or
// because it was asked to. What the caller is told of each is true, and in the
// end they succeed again.
func TestFailover(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deploy func(*testing.T, *triggers) replicated
		killed bool
	}{
		"cluster, killed":   {newReplicatedCluster, true},
		"cluster, asked to": {newReplicatedCluster, false},
		// A sentinel that is asked to promote a replica does not stop the master
		// first: what that acknowledges meanwhile is lost, and no client can know.
		"sentinel, killed": {newSentinels, true},
	} {
		for _, policy := range []writepolicy.Policy{writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First)} {
			t.Run(name+"/"+writepolicy.NameOf(policy), func(t *testing.T) {
				t.Parallel()
				m := &triggers{}
				r := test.deploy(t, m)
				t.Cleanup(func() {
					assert.NoError(t, r.client.Close())
					assert.NoError(t, r.direct.Close())
				})
				f := newFixture(t, setting{
					client: r.client, direct: r.direct, triggers: m, policy: policy, timeout: time.Second, retries: 3,
				})
				eventually(t, "the nodes take writes", func(ctx context.Context) error {
					return r.direct.Set(ctx, fence, "", 0).Err()
				})
				f.put(t)
				failover(t, f, r, test.killed)
			})
		}
	}
}

// fence is a key in the slot of the other one.
const fence = "{" + key + "}:fence"

func failover(t *testing.T, f *fixture, r replicated, killed bool) {
	t.Helper()
	h := newHistory(f)
	for range 10 {
		require.NoError(t, h.write(t))
	}
	before := r.master.Admin.Info(t.Context(), "replication").Val()
	f.triggers.beforeSending(func() {
		if !killed {
			assert.NoError(t, r.promote(t.Context()))
			return
		}
		// What Redis has acknowledged and not passed on yet is lost with it, and no
		// client can know. So the replica is in step when the master goes.
		conn := r.master.Admin.Conn()
		defer func() { assert.NoError(t, conn.Close()) }()
		assert.NoError(t, conn.Set(t.Context(), fence, "", 0).Err())
		assert.EqualValues(t, 1, conn.Wait(t.Context(), 1, patience).Val(), "replicas in step: %s", before)
		r.master.Kill()
	})
	eventually(t, "the replica takes over", func(ctx context.Context) error {
		if err := h.write(t); err != nil {
			return err
		}
		if killed {
			return nil
		}
		if info := r.master.Admin.Info(ctx, "replication").Val(); server.InfoField(info, "role") != "slave" {
			return errors.New("the master is still one")
		}
		return nil
	})
	for range 10 {
		require.NoError(t, h.write(t))
	}
	h.complete(t)
	f.Reset()
	f.goesOn(t)
}
