package redisbackend_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/redisbackend"
)

// All ways in which go-redis reads from replicas, by each constructor.
func TestNew_ReplicaReads(t *testing.T) {
	t.Parallel()
	cluster := func(change func(o *redis.ClusterOptions)) redis.UniversalClient {
		o := &redis.ClusterOptions{Addrs: []string{"a:1", "b:2"}}
		change(o)
		return redis.NewClusterClient(o)
	}
	failover := func(change func(o *redis.FailoverOptions)) redis.UniversalClient {
		o := &redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"s:1"}}
		change(o)
		return redis.NewFailoverClusterClient(o)
	}
	universal := func(change func(o *redis.UniversalOptions)) redis.UniversalClient {
		o := &redis.UniversalOptions{Addrs: []string{"a:1", "b:2"}}
		change(o)
		return redis.NewUniversalClient(o)
	}
	for name, test := range map[string]struct {
		client   redis.UniversalClient
		replicas bool
	}{
		"cluster":                          {cluster(func(*redis.ClusterOptions) {}), false},
		"cluster, ReadOnly":                {cluster(func(o *redis.ClusterOptions) { o.ReadOnly = true }), true},
		"cluster, RouteByLatency":          {cluster(func(o *redis.ClusterOptions) { o.RouteByLatency = true }), true},
		"cluster, RouteRandomly":           {cluster(func(o *redis.ClusterOptions) { o.RouteRandomly = true }), true},
		"cluster, only a tolerance":        {cluster(func(o *redis.ClusterOptions) { o.RouteByLatencyTolerance = time.Second }), false},
		"failover cluster":                 {failover(func(*redis.FailoverOptions) {}), false},
		"failover cluster, ReplicaOnly":    {failover(func(o *redis.FailoverOptions) { o.ReplicaOnly = true }), true},
		"failover cluster, RouteByLatency": {failover(func(o *redis.FailoverOptions) { o.RouteByLatency = true }), true},
		"failover cluster, RouteRandomly":  {failover(func(o *redis.FailoverOptions) { o.RouteRandomly = true }), true},
		"universal":                        {universal(func(*redis.UniversalOptions) {}), false},
		"universal, ReadOnly":              {universal(func(o *redis.UniversalOptions) { o.ReadOnly = true }), true},
		"universal, RouteByLatency":        {universal(func(o *redis.UniversalOptions) { o.RouteByLatency = true }), true},
		"universal, RouteRandomly":         {universal(func(o *redis.UniversalOptions) { o.RouteRandomly = true }), true},
		"universal, sentinels":             {universal(func(o *redis.UniversalOptions) { o.MasterName, o.RouteRandomly = "m", true }), true},
		"universal, sentinels as a cluster": {
			universal(func(o *redis.UniversalOptions) { o.MasterName, o.IsClusterMode, o.ReadOnly = "m", true, true }), true,
		},
		"a single server": {redis.NewClient(&redis.Options{}), false},
		"a ring":          {redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "a:1"}}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() { _ = test.client.Close() })
			b, err := redisbackend.New(test.client, redisbackend.WithoutKeyPrefix())
			if test.replicas {
				assert.Nil(t, b)
				require.ErrorIs(t, err, redisbackend.ErrReplicaReads)
			} else {
				require.NoError(t, err)
			}
			b, err = redisbackend.New(test.client, redisbackend.WithoutKeyPrefix(), redisbackend.WithStaleReads())
			require.NoError(t, err)
			assert.NotNil(t, b)
		})
	}
}

// An AutoPipeliner is a client that hides another, whatever that one does.
func TestNew_AutoPipeliner(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { _ = client.Close() })
	blocking, err := client.AutoPipeline()
	require.NoError(t, err)
	async, err := client.AsyncAutoPipeline()
	require.NoError(t, err)
	for name, pipeliner := range map[string]redis.UniversalClient{"blocking": blocking, "async": async} {
		b, err := redisbackend.New(pipeliner, redisbackend.WithoutKeyPrefix(), redisbackend.WithStaleReads())
		assert.Nil(t, b, name)
		require.ErrorIs(t, err, redisbackend.ErrAutoPipeliner, name)
	}
	_, err = redisbackend.New((*redis.AutoPipeliner)(nil), redisbackend.WithoutKeyPrefix())
	require.ErrorIs(t, err, redisbackend.ErrNilClient)
}

// A type of the user's that embeds a client does not hide the client's options.
func TestNew_Wrapper(t *testing.T) {
	t.Parallel()
	type client struct{ *redis.Client }
	type cluster struct{ *redis.ClusterClient }
	for name, test := range map[string]struct {
		client redis.UniversalClient
		want   error
	}{
		"a client":                 {client{redis.NewClient(&redis.Options{})}, nil},
		"with a cache":             {client{redis.NewClient(&redis.Options{ClientSideCacheConfig: &redis.ClientSideCacheConfig{}})}, redisbackend.ErrClientCache},
		"without timeouts":         {client{redis.NewClient(&redis.Options{ReadTimeout: -1})}, redisbackend.ErrEndlessCalls},
		"a cluster":                {cluster{redis.NewClusterClient(&redis.ClusterOptions{})}, nil},
		"a cluster, reading":       {cluster{redis.NewClusterClient(&redis.ClusterOptions{ReadOnly: true})}, redisbackend.ErrReplicaReads},
		"a cluster, no timeouts":   {cluster{redis.NewClusterClient(&redis.ClusterOptions{WriteTimeout: -1})}, redisbackend.ErrEndlessCalls},
		"an interface that is one": {struct{ redis.UniversalClient }{redis.NewClient(&redis.Options{})}, nil},
		"nothing":                  {client{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "nothing" {
				t.Cleanup(func() { _ = test.client.Close() })
			}
			_, err := redisbackend.New(test.client, redisbackend.WithoutKeyPrefix())
			require.ErrorIs(t, err, test.want)
		})
	}
}
