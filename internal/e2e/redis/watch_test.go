package redis_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/stall"
	"github.com/tiercache/tiercache/tier"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	_, other := loggedAt(t, f.server.Addr)
	f.write(t, set("before", write{}))
	a, b := watchOf(t, f), watchOf(t, other)
	a.isSynced(t)
	b.isSynced(t)
	stalled := stall.Watch(t)
	begin := f.storeTime(t)
	v1 := f.write(t, set("1", write{Operation: 7, Note: []byte("note")})).Version
	r2, err := other.Write(t.Context(), remove(write{}))
	require.NoError(t, err)
	a.isSynced(t)
	b.isSynced(t)
	for _, sink := range []*followed{a, b} {
		r := sink.snapshot()
		require.Len(t, r.changes, 2)
		for _, c := range r.changes {
			assert.WithinRange(t, c.At, begin, begin.Add(patience))
		}
		r.changes[0].At, r.changes[1].At = time.Time{}, time.Time{}
		assert.Equal(t, []backends.Change{
			{Key: key, Kind: tier.Set, Version: v1, Operation: 7, Note: []byte("note")},
			{Key: key, Kind: tier.Delete, Version: r2.Version},
		}, r.changes)
		assert.Empty(t, r.losses)
		_, monotonic := r.synced.String(), time.Since(r.synced)
		assert.Less(t, monotonic, time.Second+stalled())
	}
	_, _, ok := f.StoreTime()
	assert.True(t, ok)
}

// Caches that share a backend share its reader, which ends with the last of them.
func TestWatch_Shared(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	connections := func() int {
		list, err := f.server.Admin.ClientList(t.Context()).Result()
		require.NoError(t, err)
		return strings.Count(list, "cmd=xread")
	}
	var sinks [5]followed
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range sinks {
		wg.Go(func() { assert.ErrorIs(t, f.Watch(ctx, &sinks[i]), context.Canceled) })
	}
	for i := range sinks {
		sinks[i].isSynced(t)
	}
	require.Eventually(t, func() bool { return connections() == 1 }, patience, time.Millisecond)
	f.write(t, set("v", write{}))
	for i := range sinks {
		require.Eventually(t, func() bool { return sinks[i].count() == 1 }, patience, time.Millisecond)
	}
	cancel()
	wg.Wait()
	assert.Equal(t, uint32(0), f.client.PoolStats().TotalConns-f.client.PoolStats().IdleConns, "connections that are in use")
	again := watchOf(t, f) // and begins again
	again.isSynced(t)
}

// Every change of a busy log is told once and in order, by several writers, one of which
// deletes, through many batches.
func TestWatch_Busy(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	r := watchOf(t, f)
	r.isSynced(t)
	const writers, each = 4, 1000
	var wg sync.WaitGroup
	for i := range writers {
		_, b := loggedAt(t, f.server.Addr)
		wg.Go(func() {
			for j := range each {
				if j%10 == 0 {
					assert.NoError(t, b.Delete(t.Context(), strconv.Itoa(i)))
				} else {
					assert.NoError(t, b.Set(t.Context(), strconv.Itoa(i), backends.Entry[[]byte]{}))
				}
			}
		})
	}
	wg.Wait()
	r.isSynced(t)
	versions := r.versions()
	require.Len(t, versions, writers*each)
	assert.True(t, slices.IsSorted(versions))
	assert.Len(t, slices.Compact(versions), writers*each)
	assert.Empty(t, r.lost())
}

// A connection that is cut costs nothing: the reader goes on where it was.
func TestWatch_ShortDisconnection(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	r := watchOf(t, f)
	r.isSynced(t)
	for i := range 20 {
		f.admin(t, "client", "kill", "type", "normal", "skipme", "yes")
		for range 50 {
			_, err := f.Write(t.Context(), set(strconv.Itoa(i), write{}))
			if err != nil {
				assert.NotContains(t, err.Error(), "log")
			}
		}
	}
	require.Eventually(t, func() bool { return r.count() == f.messages(t) }, patience, 10*time.Millisecond)
	r.isSynced(t)
	assert.Empty(t, r.lost())
}

func TestWatch_Cluster(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, true)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	r := watchOf(t, b)
	r.isSynced(t)
	keys, writes := batchOf(200, number)
	done := make([]backends.Done, len(keys))
	b.WriteMany(t.Context(), writes, done)
	r.isSynced(t)
	assert.Len(t, r.versions(), 200)
	assert.Empty(t, r.lost())

	cluster.Masters[0].Kill() // its replica takes over
	require.Eventually(t, func() bool { return slices.Contains(r.lost(), backends.LossServerChanged) }, patience, interval)
	r.isSynced(t)
	for _, cause := range r.lost() {
		assert.Equal(t, backends.LossServerChanged, cause)
	}
	eventually(t, "all keys can be written", func(ctx context.Context) error {
		for _, k := range keys {
			if err := b.Set(ctx, k, backends.Entry[[]byte]{}); err != nil {
				return err
			}
		}
		return nil
	})
	r.isSynced(t)
}

func TestWatch_Sentinel(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	replica := startReplica(t, f.server)
	sentinel := startSentinel(t, f.server)
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: masterName, SentinelAddrs: []string{sentinel.Addr}, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	r := watchOf(t, b)
	r.isSynced(t)
	w, err := b.Write(t.Context(), set("1", write{}))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return replica.Admin.Exists(t.Context(), valueKey).Val() == 1
	}, patience, interval)
	eventually(t, "the sentinel knows the replica", func(ctx context.Context) error {
		return sentinel.Admin.Do(ctx, "sentinel", "failover", masterName).Err()
	})
	require.Eventually(t, func() bool { return len(r.lost()) > 0 }, patience, interval)
	r.isSynced(t)
	assert.Equal(t, []backends.Loss{backends.LossServerChanged}, r.lost())
	later, err := b.Write(t.Context(), set("2", write{}))
	require.NoError(t, err)
	assert.Greater(t, later.Version.Era(), w.Version.Era(), "versions that the failover lost are not used again")
}
