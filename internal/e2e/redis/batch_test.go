package redis_test

import (
	"bytes"
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tier"
)

func batchOf(n int, value func(i int) []byte) (keys []string, writes []write) {
	for i := range n {
		keys = append(keys, "key:"+strconv.Itoa(i))
		writes = append(writes, write{Key: keys[i], Kind: tier.Set, Entry: backends.Entry[[]byte]{Value: value(i)}})
	}
	return keys, writes
}

func number(i int) []byte { return []byte(strconv.Itoa(i)) }

// Batches of all sizes, in every deployment, with a log and without, are as many single
// calls.
func TestBatches(t *testing.T) {
	t.Parallel()
	for deployment, deploy := range deployments {
		t.Run(deployment, func(t *testing.T) {
			t.Parallel()
			client, _ := deploy(t)
			t.Cleanup(func() { require.NoError(t, client.Close()) })
			for name, opts := range map[string][]redisbackend.Option{
				"plain": nil, "raw": {redisbackend.WithRawValues()}, "log": {redisbackend.WithLog()},
				"partitions": {redisbackend.WithLog(), redisbackend.WithLogPartitions(7)},
			} {
				b, err := redisbackend.New(client, append(opts, redisbackend.WithKeyPrefix(name+":"))...)
				require.NoError(t, err)
				checkBatches(t, b, name == "log" || name == "partitions")
			}
		})
	}
}

func checkBatches(t *testing.T, b *redisbackend.Backend, versions bool) {
	t.Helper()
	for _, n := range []int{0, 1, 2, 128, 129, 500} {
		keys, writes := batchOf(n, number)
		done := make([]backends.Done, n)
		b.WriteMany(t.Context(), writes, done)
		got := make([]backends.Got[[]byte], n)
		b.GetMany(t.Context(), keys, got)
		for i := range n {
			require.NoError(t, done[i].Err)
			require.NoError(t, got[i].Err)
			require.Equal(t, backends.Hit, got[i].Answer.Found)
			require.Equal(t, number(i), got[i].Entry.Value)
			require.Equal(t, done[i].Result.Version, got[i].Answer.Version)
			require.Equal(t, versions, done[i].Result.Version != 0)
		}
	}
	// Changes of one key are made in order; each key has its own result.
	_, writes := batchOf(4, number)
	writes[1].Key, writes[2].Key, writes[2].Kind = writes[0].Key, writes[0].Key, tier.Delete
	writes = append(writes, write{Kind: tier.Set}, write{Key: "bad"}, write{Key: "if", Kind: tier.Set, If: backends.Absent()})
	done := make([]backends.Done, len(writes))
	b.WriteMany(t.Context(), writes, done)
	got := make([]backends.Got[[]byte], 3)
	b.GetMany(t.Context(), []string{writes[0].Key, "", writes[3].Key}, got)
	assert.Equal(t, backends.Miss, got[0].Answer.Found)
	assert.Equal(t, backends.Got[[]byte]{}, got[1])
	assert.Equal(t, number(3), got[2].Entry.Value)
	if versions {
		assert.Less(t, done[0].Result.Version, done[1].Result.Version)
		assert.Less(t, done[1].Result.Version, done[2].Result.Version)
		assert.Equal(t, done[2].Result.Version, got[0].Answer.Version)
		require.NoError(t, done[6].Err)
		b.WriteMany(t.Context(), writes[6:], done[6:])
		assert.Equal(t, backends.RefusedCondition, done[6].Result.Refused)
	} else {
		require.ErrorIs(t, done[6].Err, backends.ErrUnsupported)
	}
	require.ErrorIs(t, done[4].Err, backends.ErrEmptyKey)
	var invalid *backends.InvalidWriteError
	require.ErrorAs(t, done[5].Err, &invalid)
	for _, i := range []int{0, 1, 2, 3} {
		require.NoError(t, done[i].Err)
	}
}

func TestBatches_ContextThatHasEnded(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	keys, writes := batchOf(300, number)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done, got := make([]backends.Done, 300), make([]backends.Got[[]byte], 300)
	f.WriteMany(ctx, writes, done)
	f.GetMany(ctx, keys, got)
	for i := range done {
		require.ErrorIs(t, done[i].Err, context.Canceled)
		require.True(t, backends.CertainlyNotApplied(done[i].Err))
		require.ErrorIs(t, got[i].Err, context.Canceled)
	}
}

func TestBatches_NoScript(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	_, writes := batchOf(100, number)
	writes[50].Key = writes[49].Key
	for range 2 {
		f.admin(t, "script", "flush")
		done := make([]backends.Done, len(writes))
		f.WriteMany(t.Context(), writes, done)
		for i := range done {
			require.NoError(t, done[i].Err)
		}
		assert.Less(t, done[49].Result.Version, done[50].Result.Version)
	}
	assert.Equal(t, 200, f.messages(t))
}

// Values that fill several pipelines.
func TestBatches_LargeValues(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	keys, writes := batchOf(20, func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 300_000) })
	done, got := make([]backends.Done, 20), make([]backends.Got[[]byte], 20)
	f.WriteMany(t.Context(), writes, done)
	f.GetMany(t.Context(), keys, got)
	for i := range done {
		require.NoError(t, done[i].Err)
		require.Equal(t, writes[i].Entry.Value, got[i].Entry.Value)
	}
}

// A connection that is cut at any byte, of the commands or of the answers, leaves exact
// outcomes: a change that is certainly not applied is not there, one that was applied
// has the version that was told, and the others are unknown.
func TestBatches_CutAnywhere(t *testing.T) {
	t.Parallel()
	for name, protocol := range map[string]int{"RESP2": 2, "RESP3": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cutBatches(t, func(t *testing.T, c *cutServer) logBackend {
				t.Helper()
				return c.goRedis(t, protocol)
			})
		})
	}
}

// An outage of one node of a cluster leaves the keys of the others as they are.
func TestBatches_OneNodeDown(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, false)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), ContextTimeoutEnabled: true, MaxRedirects: 1})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	keys, writes := batchOf(200, number)
	done := make([]backends.Done, len(keys))
	b.WriteMany(t.Context(), writes, done)
	for i := range done {
		require.NoError(t, done[i].Err)
	}
	paused := cluster.Masters[1]
	require.NoError(t, paused.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	done = make([]backends.Done, len(keys))
	b.WriteMany(ctx, writes, done)
	require.NoError(t, paused.Continue())
	applied, unknown := 0, 0
	for i := range done {
		switch {
		case done[i].Err == nil:
			applied++
		case !backends.CertainlyNotApplied(done[i].Err):
			unknown++
		}
	}
	assert.Greater(t, applied, 80)
	assert.Greater(t, unknown, 20)
}
