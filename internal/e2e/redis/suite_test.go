package redis_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

const masterName = "shop"

// deployments are the ways in which a service may have its Redis. Each returns a
// client and the servers that hold data.
var deployments = map[string]func(t *testing.T) (redis.UniversalClient, []*server.Redis){
	"single": func(t *testing.T) (redis.UniversalClient, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		return redis.NewClient(&redis.Options{Addr: s.Addr, ContextTimeoutEnabled: true}), []*server.Redis{s}
	},
	"single, RESP2": func(t *testing.T) (redis.UniversalClient, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		return redis.NewClient(&redis.Options{Addr: s.Addr, ContextTimeoutEnabled: true, Protocol: 2}), []*server.Redis{s}
	},
	"sentinel": func(t *testing.T) (redis.UniversalClient, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: masterName, SentinelAddrs: []string{startSentinel(t, s).Addr}, ContextTimeoutEnabled: true,
		}), []*server.Redis{s}
	},
	"cluster": func(t *testing.T) (redis.UniversalClient, []*server.Redis) {
		t.Helper()
		c := startCluster(t, false)
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs(), ContextTimeoutEnabled: true}), c.Masters
	},
}

func startSentinel(t *testing.T, of *server.Redis) *server.Redis {
	t.Helper()
	s, err := server.StartSentinel(t.Context(), masterName, of, time.Second)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func startCluster(t *testing.T, replicas bool) *server.Cluster {
	t.Helper()
	c, err := server.StartCluster(t.Context(), replicas)
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	return c
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, deploy := range deployments {
		for format, opts := range map[string][]redisbackend.Option{
			"with a header": {redisbackend.WithoutKeyPrefix()},
			"with a log":    {redisbackend.WithoutKeyPrefix(), redisbackend.WithLog()},
			"raw":           {redisbackend.WithoutKeyPrefix(), redisbackend.WithRawValues()},
		} {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				client, servers := deploy(t)
				t.Cleanup(func() { require.NoError(t, client.Close()) })
				backendtest.Suite[[]byte]{
					New: func(t *testing.T) backends.Backend[[]byte] {
						t.Helper()
						for _, s := range servers {
							require.NoError(t, s.Admin.FlushAll(context.WithoutCancel(t.Context())).Err())
						}
						b, err := redisbackend.New(client, opts...)
						require.NoError(t, err)
						if format == "raw" {
							return newRawStore(b)
						}
						return b
					},
					Value:     func(i int) []byte { return []byte(strconv.Itoa(i)) },
					Precision: precisionOf(format),
				}.Run(t)
			})
		}
	}
}
