package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

func startRedis(t *testing.T, args ...string) *server.Redis {
	t.Helper()
	r, err := server.StartRedis(t.Context(), args...)
	require.NoError(t, err)
	t.Cleanup(r.Stop)
	return r
}

func TestStartRedis(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	assert.NotEmpty(t, r.Version)
	require.NoError(t, r.Admin.Set(t.Context(), "k", "v", 0).Err())
	require.NoError(t, r.Restart(t.Context()))
	n, err := r.Admin.Exists(t.Context(), "k").Result()
	require.NoError(t, err)
	assert.Zero(t, n, "it keeps nothing unless it is told to")
}

func TestStartRedis_BadOption(t *testing.T) {
	t.Parallel()
	_, err := server.StartRedis(t.Context(), "--no-such-option", "yes")
	require.ErrorContains(t, err, "no-such-option", "what the server has printed")
}

func TestRedis_Restart(t *testing.T) {
	t.Parallel()
	r := startRedis(t, "--appendonly", "yes", "--appendfsync", "no")
	pid := r.PID()
	require.NoError(t, r.Admin.Set(t.Context(), "k", "v", 0).Err())
	r.Kill()
	require.NoError(t, r.Restart(t.Context()))
	assert.NotEqual(t, pid, r.PID())
	assert.Equal(t, "v", r.Admin.Get(t.Context(), "k").Val())
	require.NoError(t, r.RestartEmpty(t.Context()))
	assert.Empty(t, r.Admin.Get(t.Context(), "k").Val())
}

func TestStartReplica(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	require.NoError(t, r.Admin.Set(t.Context(), "k", "v", 0).Err())
	replica, err := server.StartReplica(t.Context(), r)
	require.NoError(t, err)
	t.Cleanup(replica.Stop)
	assert.Equal(t, "v", replica.Admin.Get(t.Context(), "k").Val())
}

func TestStartSentinel(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	s, err := server.StartSentinel(t.Context(), "shop", r, time.Second)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	masters, err := s.Admin.Do(t.Context(), "sentinel", "get-master-addr-by-name", "shop").StringSlice()
	require.NoError(t, err)
	assert.Len(t, masters, 2)
}

func TestStartCluster(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]bool{"masters": false, "masters and replicas": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := server.StartCluster(t.Context(), replicas)
			require.NoError(t, err)
			t.Cleanup(c.Stop)
			assert.Len(t, c.Masters, 3)
			for _, r := range c.Masters {
				assert.Contains(t, r.Admin.ClusterInfo(t.Context()).Val(), "cluster_slots_ok:16384")
			}
			i, err := c.MasterOf(t.Context(), "k")
			require.NoError(t, err)
			assert.NoError(t, c.Masters[i].Admin.Set(t.Context(), "k", "v", 0).Err(), "it must be of that node")
		})
	}
}
