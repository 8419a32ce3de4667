package redisbackend_test

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// newCluster is for a bubble. It returns two nodes and a client that takes the first for the owner
// of all slots.
func newCluster(t *testing.T) (one, two *server, client *redis.ClusterClient) {
	t.Helper()
	return newClusterOf(t, func() string { return "one:1" })
}

// newClusterOf is the same for a cluster whose owner of all slots may change.
func newClusterOf(t *testing.T, owner func() string) (one, two *server, client *redis.ClusterClient) {
	t.Helper()
	one, two = newServer(t), newServer(t)
	client = redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{"one:1", "two:2"},
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == "one:1" {
				return one.dial(ctx, network, addr)
			}
			return two.dial(ctx, network, addr)
		},
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: owner()}}}}, nil
		},
		ContextTimeoutEnabled:    true,
		DialerRetries:            1,
		DisableIdentity:          true,
		Protocol:                 2,
		PipelinePoolSize:         -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() {
		_ = client.Close()
		time.Sleep(time.Second) // go-redis lets a goroutine sleep before it reloads the cluster's state
	})
	return one, two, client
}

// refuseAll is more than enough: go-redis also dials to ask for the commands.
var refuseAll = slices.Repeat([]error{errRefused}, 100)

func TestCluster(t *testing.T) {
	t.Parallel()
	moved := answer("MOVED 1 two:2")
	back := answer("MOVED 1 one:1")
	for name, test := range map[string]struct {
		one, two          []act
		dials             []error // of the first
		onOne, onTwo      bool    // really applied
		succeeds, certain bool
		attempts          int
		errorType         string
	}{
		"at once":            {onOne: true, succeeds: true},
		"moved":              {one: []act{moved}, onTwo: true, succeeds: true},
		"moved to and fro":   {one: []act{moved}, two: []act{back}, onOne: true, succeeds: true},
		"always moved":       {one: repeat(4, moved), two: repeat(4, back), certain: true, attempts: 1, errorType: "MOVED"},
		"moved, then OOM":    {one: []act{moved}, two: []act{answer("OOM no")}, certain: true, attempts: 1, errorType: "OOM"},
		"moved, then NOPERM": {one: []act{moved}, two: []act{answer("NOPERM no")}, attempts: 1, errorType: "NOPERM"},
		"NOPERM":             {one: []act{answer("NOPERM no")}, certain: true, attempts: 1, errorType: "NOPERM"},
		"moved, lost":        {one: []act{moved}, two: []act{applyThenDrop}, onTwo: true, attempts: 1, errorType: "connection_lost"},
		"lost":               {one: []act{applyThenDrop}, onOne: true, attempts: 1, errorType: "connection_lost"},
		"no server":          {dials: refuseAll, certain: true, attempts: 4, errorType: "connection_refused"},
		"READONLY for ever":  {one: repeat(16, answer("READONLY no")), certain: true, attempts: 4, errorType: "READONLY"},
		"cluster down":       {one: repeat(4, answer("CLUSTERDOWN no")), certain: true, attempts: 4, errorType: "CLUSTERDOWN"},
	} {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					one, two, client := newCluster(t)
					require.NoError(t, one.Set(secret, "old"))
					require.NoError(t, two.Set(secret, "old"))
					one.next(test.one...)
					one.nextDials(test.dials...)
					two.next(test.two...)
					err := w.write(t.Context(), newBackend(t, client))
					assert.Equal(t, test.onOne, w.applied(one), "on the first node")
					assert.Equal(t, test.onTwo, w.applied(two), "on the second node")
					if test.succeeds {
						require.NoError(t, err)
						return
					}
					require.Error(t, err)
					assert.Equal(t, test.certain, backends.CertainlyNotApplied(err), err)
					assert.Equal(t, test.errorType, errorType(t, err))
					var failed *redisbackend.Error
					require.ErrorAs(t, err, &failed)
					assert.Equal(t, test.attempts, failed.Attempts)
				})
			})
		}
	}
}

// A master is gone, and another node has taken its place: the first call that gets
// no answer has the client look for it.
func TestCluster_MasterIsGone(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(ctx context.Context, b *redisbackend.Backend) error{
		"Set": func(ctx context.Context, b *redisbackend.Backend) error { return b.Set(ctx, "k", value("v")) },
		"Get": func(ctx context.Context, b *redisbackend.Backend) error {
			_, _, err := b.Get(ctx, "k")
			return err
		},
	} {
		for kind, opts := range map[string][]redisbackend.Option{
			"header": {redisbackend.WithWriteRetries(0)},
			"raw":    {redisbackend.WithWriteRetries(0), redisbackend.WithRawValues()},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var owner atomic.Value
					owner.Store("one:1")
					one, two, client := newClusterOf(t, func() string { return owner.Load().(string) })
					b := newBackend(t, client, opts...)
					require.NoError(t, call(t.Context(), b))
					synctest.Wait()

					owner.Store("two:2")
					one.stop()
					require.Error(t, call(t.Context(), b))
					synctest.Wait()
					require.NoError(t, call(t.Context(), b), "a minute before the client would look by itself")
					assert.NotEmpty(t, two.commands())
				})
			})
		}
	}
}

// However many calls get no answer, and though the cluster does not name the owner of a
// slot, it is asked once a second at most.
func TestCluster_IsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		one, _, client := newClusterOf(t, func() string { asked.Add(1); return "one:1" })
		b := newBackend(t, client, redisbackend.WithWriteRetries(0))
		one.stop()
		begin := time.Now()
		for range 100 {
			require.Error(t, b.Set(t.Context(), "k", value("v")))
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
		}
		assert.LessOrEqual(t, asked.Load(), int64(time.Since(begin)/time.Second)+2)
	})
}

func TestCluster_Reads(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]redisbackend.Option{"header": nil, "raw": {redisbackend.WithRawValues()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, _, client := newCluster(t)
				b := newBackend(t, client, opts...)
				want := expiring("v", time.Minute)
				require.NoError(t, b.Set(t.Context(), "k", want))
				requireHit(t, b, "k", want)
				requireMiss(t, b, "other")
				time.Sleep(time.Minute)
				requireMiss(t, b, "k")
			})
		})
	}
}
