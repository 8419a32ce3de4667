package redis_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

// goRedis returns a backend with a log whose connections can be cut. It makes one attempt.
func (s *cutServer) goRedis(t *testing.T, protocol int) *redisbackend.Backend {
	t.Helper()
	o := clientOptions(s.addr)
	o.Dialer, o.Protocol = s.dial, protocol
	client := redis.NewClient(o)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog(), redisbackend.WithWriteRetries(0))
	require.NoError(t, err)
	return b
}

// rueidis is goRedis over rueidis, which sends no pings of its own.
func (s *cutServer) rueidis(t *testing.T, always bool) *rueidisbackend.Backend {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.addr}, DisableCache: true, DisableRetry: true, AlwaysPipelining: always,
		ForceSingleClient: true, PipelineMultiplex: -1, Dialer: net.Dialer{KeepAlive: time.Hour},
		DialCtxFn: func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return s.dial(ctx, "tcp", addr)
		},
	})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	b, err := rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog(), rueidisbackend.WithRetries(0))
	require.NoError(t, err)
	return b
}

// connect ends when the backend has a connection again, and its server the script of a
// Set. A client may first notice that its old connection is closed.
func connect(t *testing.T, b backends.Backend[[]byte]) {
	t.Helper()
	for ctx, err := t.Context(), b.Set(t.Context(), "warm", backends.Entry[[]byte]{}); err != nil; {
		require.NoError(t, ctx.Err())
		err = b.Set(ctx, "warm", backends.Entry[[]byte]{})
	}
}

// cutBatches cuts a batch of writes at every byte of its commands, some 1,800, and of
// their answers, some 130.
func cutBatches(t *testing.T, open func(t *testing.T, s *cutServer) logBackend) {
	t.Helper()
	s := startCut(t)
	direct, err := redisbackend.New(s.server.Admin, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	s.countOthers(t)
	b := open(t, s)
	const n = 4
	keys, _ := batchOf(n, number)
	outcomes := make(map[string]int)
	for _, direction := range []string{answers, commands} {
		for at, struck := int64(0), true; struck; at++ {
			s.mend()
			connect(t, b)
			_, writes := batchOf(n, func(int) []byte { return []byte(direction + strconv.FormatInt(at, 10)) })
			done := make([]backends.Done, n)
			s.after(direction, at)
			b.WriteMany(t.Context(), writes, done)
			struck, _ = s.happened()
			s.settle(t)
			got := make([]backends.Got[[]byte], n)
			direct.GetMany(t.Context(), keys, got)
			for i := range n {
				applied := bytes.Equal(writes[i].Entry.Value, got[i].Entry.Value)
				switch {
				case done[i].Err == nil:
					outcomes["applied"]++
					require.True(t, applied, "%s cut at %d", direction, at)
					require.Equal(t, done[i].Result.Version, got[i].Answer.Version)
				case backends.CertainlyNotApplied(done[i].Err):
					outcomes["failed"]++
					require.False(t, applied, "%s cut at %d", direction, at)
				default:
					outcomes["unknown"]++
				}
			}
		}
	}
	t.Log(outcomes)
	assert.NotZero(t, outcomes["applied"])
	assert.NotZero(t, outcomes["unknown"])
}
