package redisbackend_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

func TestWithLog_Refused(t *testing.T) {
	t.Parallel()
	contexts := redis.Options{Addr: "a:1", ContextTimeoutEnabled: true}
	cluster := redis.ClusterOptions{Addrs: []string{"a:1"}, ContextTimeoutEnabled: true}
	replicas := cluster
	replicas.ReadOnly = true
	for name, test := range map[string]struct {
		client redis.UniversalClient
		opts   []redisbackend.Option
		want   error
		text   string
	}{
		"a ring":            {redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "a:1"}, ContextTimeoutEnabled: true}), nil, redisbackend.ErrLogClient, "NewClusterClient"},
		"without contexts":  {redis.NewClient(&redis.Options{Addr: "a:1"}), nil, redisbackend.ErrLogContexts, "ContextTimeoutEnabled"},
		"a cluster without": {redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"a:1"}}), nil, redisbackend.ErrLogContexts, "ContextTimeoutEnabled"},
		"replicas": {
			redis.NewClusterClient(&replicas),
			[]redisbackend.Option{redisbackend.WithStaleReads()},
			redisbackend.ErrLogReplicaReads, "ReadOnly",
		},
		"raw values":         {redis.NewClient(&contexts), []redisbackend.Option{redisbackend.WithRawValues()}, redisbackend.ErrBadOption, "WithRawValues"},
		"no partitions":      {redis.NewClient(&contexts), []redisbackend.Option{redisbackend.WithLogPartitions(0)}, redisbackend.ErrBadOption, "1 to 1024"},
		"too many":           {redis.NewClient(&contexts), []redisbackend.Option{redisbackend.WithLogPartitions(1025)}, redisbackend.ErrBadOption, "1 to 1024"},
		"too short":          {redis.NewClient(&contexts), []redisbackend.Option{redisbackend.WithLogLength(99)}, redisbackend.ErrBadOption, "100"},
		"a prefix with {}":   {redis.NewClient(&contexts), []redisbackend.Option{redisbackend.WithKeyPrefix("a{}:")}, redisbackend.ErrBadOption, "{}"},
		"another's wrapper":  {wrapper{redis.NewClient(&contexts)}, nil, nil, ""},
		"a wrapper of a set": {redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{"a:1", "b:1"}, ContextTimeoutEnabled: true}), nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() { _ = test.client.Close() })
			opts := append([]redisbackend.Option{redisbackend.WithLog()}, test.opts...)
			if !strings.Contains(name, "prefix") {
				opts = append(opts, redisbackend.WithoutKeyPrefix())
			}
			b, err := redisbackend.New(test.client, opts...)
			if test.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.want)
			require.ErrorContains(t, err, test.text)
			assert.Nil(t, b)
		})
	}
	client := redis.NewClient(&contexts)
	t.Cleanup(func() { _ = client.Close() })
	_, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLogPartitions(2))
	require.ErrorContains(t, err, "need WithLog")
}

type wrapper struct{ *redis.Client }

func TestWithLog_Describe(t *testing.T) {
	t.Parallel()
	client := newServer(t).client(t, nil)
	assert.Equal(t, backends.Abilities{Versions: true, Deadlines: true, Batches: true, Log: true},
		newBackend(t, client, redisbackend.WithLog()).Describe().Abilities)
	assert.Equal(t, backends.Abilities{Batches: true}, newBackend(t, client).Describe().Abilities)
	replicas := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"a:1"}, ReadOnly: true})
	t.Cleanup(func() { _ = replicas.Close() })
	assert.Equal(t, backends.Abilities{Batches: true, StaleReads: true},
		newBackend(t, replicas, redisbackend.WithStaleReads()).Describe().Abilities)
	assert.Equal(t, "EVALSHA", newBackend(t, client, redisbackend.WithLog()).Describe().SetOperation)
}

// Without a log there are no versions, and nothing pretends that there were.
func TestWithoutLog(t *testing.T) {
	t.Parallel()
	b := newServer(t).backend(t)
	_, err := b.Write(t.Context(), &backends.Write[[]byte]{Key: "k"})
	require.ErrorIs(t, err, backends.ErrUnsupported)
	assert.True(t, backends.CertainlyNotApplied(err))
	_, _, err = b.GetIf(t.Context(), "k", 0)
	require.ErrorIs(t, err, backends.ErrUnsupported)
	require.ErrorIs(t, b.Watch(t.Context(), nil), backends.ErrUnsupported)
	assert.Zero(t, b.Seen("k"))
	_, _, ok := b.StoreTime()
	assert.False(t, ok)
}

// A server that is no Redis 7: every write fails, and is certainly not applied.
func TestWithLog_OldServer(t *testing.T) {
	t.Parallel()
	b := newServer(t).backend(t, redisbackend.WithLog())
	err := b.Set(t.Context(), secret, value(secret))
	require.Error(t, err)
	assert.True(t, backends.CertainlyNotApplied(err))
	assert.NotContains(t, err.Error(), secret)
	require.Error(t, b.Delete(t.Context(), secret))
	requireMiss(t, b, secret)
}
