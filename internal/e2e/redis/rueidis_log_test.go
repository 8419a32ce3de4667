package redis_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/tier"
)

// rueidisAt is loggedAt by rueidis.
func rueidisAt(tb testing.TB, addr string, opts ...rueidisbackend.Option) *rueidisbackend.Backend {
	tb.Helper()
	b, err := rueidisbackend.New(newRueidis(tb, rueidis.ClientOption{InitAddress: []string{addr}}),
		append(opts, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog())...)
	require.NoError(tb, err)
	return b
}

// newRueidisFixture returns a fixture whose backend is over rueidis.
func newRueidisFixture(t *testing.T, args ...string) *logFixture {
	t.Helper()
	s := startRedis(t, args...)
	return &logFixture{server: s, logBackend: rueidisAt(t, s.Addr)}
}

// Processes with either client share their entries and their log.
func TestRueidis_BesideGoRedis(t *testing.T) {
	t.Parallel()
	f := newRueidisFixture(t)
	_, other := loggedAt(t, f.server.Addr)
	a, b := watchOf(t, f), watchOf(t, other)
	a.isSynced(t)
	b.isSynced(t)
	v1 := f.write(t, set("1", write{Operation: 7, Note: []byte("note")})).Version
	entry, answer, err := other.GetIf(t.Context(), key, 0)
	require.NoError(t, err)
	assert.Equal(t, "1", string(entry.Value))
	assert.Equal(t, v1, answer.Version)
	r2, err := other.Write(t.Context(), set("2", write{If: backends.Is(v1)}))
	require.NoError(t, err)
	require.True(t, r2.Applied())
	value, answer := f.get(t)
	assert.Equal(t, "2", value)
	assert.Equal(t, r2.Version, answer.Version)
	_, answer, err = f.GetIf(t.Context(), key, r2.Version)
	require.NoError(t, err)
	assert.Equal(t, backends.Unchanged, answer.Found)
	r3, err := f.Write(t.Context(), remove(write{If: backends.Is(v1)}))
	require.NoError(t, err)
	assert.Equal(t, result{Refused: backends.RefusedCondition, Version: r2.Version}, r3)
	a.isSynced(t)
	b.isSynced(t)
	for _, sink := range []*followed{a, b} {
		r := sink.snapshot()
		require.Len(t, r.changes, 2)
		r.changes[0].At, r.changes[1].At = time.Time{}, time.Time{}
		assert.Equal(t, []backends.Change{
			{Key: key, Kind: tier.Set, Version: v1, Operation: 7, Note: []byte("note")},
			{Key: key, Kind: tier.Set, Version: r2.Version},
		}, r.changes)
		assert.Empty(t, r.losses)
	}
}

func TestRueidis_Losses(t *testing.T) {
	t.Parallel()
	for name, test := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check(t, newRueidisFixture(t, "--enable-debug-command", "yes"))
		})
	}
}

func TestRueidis_Restart(t *testing.T) {
	t.Parallel()
	f := newRueidisFixture(t, durable...)
	r := watchOf(t, f)
	r.isSynced(t)
	v := f.write(t, set("v", write{})).Version
	require.NoError(t, f.server.Restart(t.Context()))
	r.isSynced(t)
	assert.Equal(t, []backends.Loss{backends.LossServerChanged}, r.lost())
	var later result
	eventually(t, "it can be written", func(ctx context.Context) (err error) {
		later, err = f.Write(ctx, set("w", write{}))
		return err
	})
	assert.Greater(t, later.Version.Era(), v.Era())
}

// A server that stands still for a while, and connections that are cut, cost nothing.
func TestRueidis_Disconnections(t *testing.T) {
	t.Parallel()
	f := newRueidisFixture(t)
	r := watchOf(t, f)
	r.isSynced(t)
	require.NoError(t, f.server.Pause())
	time.Sleep(1500 * time.Millisecond) // longer than any call of the reader
	require.NoError(t, f.server.Continue())
	r.isSynced(t)
	for i := range 20 {
		f.admin(t, "client", "kill", "type", "normal", "skipme", "yes")
		for range 50 {
			_, _ = f.Write(t.Context(), set(strconv.Itoa(i), write{}))
		}
	}
	require.Eventually(t, func() bool { return r.count() == f.messages(t) }, patience, 10*time.Millisecond)
	r.isSynced(t)
	assert.Greater(t, r.count(), 800)
	assert.Empty(t, r.lost())
}

// A half-open connection is noticed in less than a second, and so is its end.
func TestRueidis_HalfOpen(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	p := newProxy(t, f.server.Addr)
	r := watchOf(t, rueidisAt(t, p.Listen, rueidisbackend.WithLogLength(100)))
	r.isSynced(t)
	p.add(t, "timeout", downstream, map[string]any{"timeout": 0}) // holds answers back
	for i := range 50 {
		f.write(t, set(strconv.Itoa(i), write{}))
	}
	time.Sleep(time.Second)
	p.Toxics.ResetToxics(t.Context())
	r.isSynced(t)
	assert.Equal(t, 50, r.count())
	assert.Empty(t, r.lost())

	p.Stop()
	for range 500 {
		f.write(t, set("v", write{}))
	}
	f.admin(t, "xtrim", logKey, "maxlen", 10)
	require.NoError(t, p.Start())
	r.isSynced(t)
	assert.Equal(t, []backends.Loss{backends.LossDisconnected}, r.lost())
}

// A server that refuses a command can never be watched.
func TestRueidis_Unsupported(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"-info", "-eval -evalsha", "-xread", "-xadd", "-xrevrange", "-time"} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			s := startRedis(t)
			_, err := s.Admin.Do(t.Context(), append([]any{"acl", "setuser", "reader", "on", "nopass", "~*", "+@all"}, fields(refused)...)...).Result()
			require.NoError(t, err)
			client := newRueidis(t, rueidis.ClientOption{InitAddress: []string{s.Addr}, Username: "reader", Password: "any"})
			b, err := rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog())
			require.NoError(t, err)
			r := new(followed)
			err = b.Watch(t.Context(), r)
			require.ErrorIs(t, err, backends.ErrUnsupported)
			assert.Equal(t, []backends.Loss{backends.LossUnsupported}, r.lost())
			assert.NotContains(t, err.Error(), "reader")
		})
	}
}

func TestRueidis_ClientThatIsClosed(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	client := newRueidis(t, rueidis.ClientOption{InitAddress: []string{s.Addr}})
	b, err := rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog())
	require.NoError(t, err)
	r := new(followed)
	done := make(chan error)
	go func() { done <- b.Watch(context.WithoutCancel(t.Context()), r) }()
	r.isSynced(t)
	client.Close() // leaves the connection of the reader open
	r.isSynced(t)
	require.NoError(t, s.Admin.Do(t.Context(), "client", "kill", "type", "normal", "skipme", "yes").Err())
	require.ErrorIs(t, <-done, backends.ErrClosed)
}

func TestRueidis_Cluster(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, true)
	client := newRueidis(t, rueidis.ClientOption{
		InitAddress: cluster.Addrs(), ConnWriteTimeout: time.Second, Dialer: net.Dialer{Timeout: time.Second},
	})
	b, err := rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog())
	require.NoError(t, err)
	r := watchOf(t, b)
	r.isSynced(t)
	keys, writes := batchOf(200, number)
	done := make([]backends.Done, len(keys))
	b.WriteMany(t.Context(), writes, done)
	for i := range done {
		require.NoError(t, done[i].Err)
	}
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

func TestRueidis_Sentinel(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	replica := startReplica(t, f.server)
	sentinel := startSentinel(t, f.server)
	option := rueidis.ClientOption{
		InitAddress: []string{sentinel.Addr},
		Sentinel:    rueidis.SentinelOption{MasterSet: masterName, TopologyRefreshInterval: time.Second},
	}
	b, err := rueidisbackend.New(newRueidis(t, option), rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog())
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
	var later result
	eventually(t, "the new master can be written", func(ctx context.Context) (err error) {
		later, err = b.Write(ctx, set("2", write{}))
		return err
	})
	assert.Greater(t, later.Version.Era(), w.Version.Era(), "versions that the failover lost are not used again")

	// What New refuses, with sentinels.
	for want, change := range map[error]func(o *rueidis.ClientOption){
		rueidisbackend.ErrConnLifetime: func(o *rueidis.ClientOption) { o.ConnLifetime = time.Hour },
		rueidisbackend.ErrReplicaReads: func(o *rueidis.ClientOption) {
			o.SendToReplicas = func(rueidis.Completed) bool { return false }
		},
	} {
		o := option
		change(&o)
		_, err := rueidisbackend.New(newRueidis(t, o), rueidisbackend.WithoutKeyPrefix())
		require.ErrorIs(t, err, want)
	}
}

// An outage of one node of a cluster leaves the keys of the others as they are, and an
// outcome that is told is true.
func TestRueidis_OneNodeDown(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, false)
	client := newRueidis(t, rueidis.ClientOption{InitAddress: cluster.Addrs()})
	b, err := rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog())
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
	got := make([]backends.Got[[]byte], len(keys))
	b.GetMany(t.Context(), keys, got)
	for i := range done {
		switch {
		case done[i].Err == nil:
			applied++
			assert.Equal(t, done[i].Result.Version, got[i].Answer.Version)
		case !backends.CertainlyNotApplied(done[i].Err):
			unknown++
		}
	}
	assert.Greater(t, applied, 80)
	assert.Greater(t, unknown, 20)
}

// A connection that is cut at any byte, of the commands or of the answers, leaves exact
// outcomes; see TestBatches_CutAnywhere.
func TestRueidis_CutAnywhere(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]bool{"always by the pipeline": true, "as it comes": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cutBatches(t, func(t *testing.T, c *cutServer) logBackend {
				t.Helper()
				return c.rueidis(t, always)
			})
		})
	}
}
