package redis_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// roundTrip is what the way to a distant server and back takes longer than on loopback.
const roundTrip = 200 * time.Microsecond

const (
	distantTurns = 1000
	distantTurn  = 3
)

// distant is a connection to a server far away. It spins, because a timer is too coarse
// for a part of a round trip.
type distant struct{ net.Conn }

func (c distant) Write(b []byte) (int, error) {
	spin(roundTrip / 2)
	return c.Conn.Write(b)
}

func (c distant) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	spin(roundTrip / 2)
	return n, err
}

func spin(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; { //nolint:revive // it waits
	}
}

func newDistantClient(tb testing.TB) *redis.Client {
	tb.Helper()
	var dialer net.Dialer
	o := clientOptions(startRedis(tb).Addr)
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return distant{conn}, nil
	}
	client := redis.NewClient(o)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// A Set of a cache whose L2 issues versions, against a SET, over a network. It is for an
// idle machine: make nightly runs it.
func BenchmarkDistantVersionedSet(b *testing.B) {
	keepAwake(b)
	client := newDistantClient(b)
	cache := newBareCache(b, backendtest.NewMap[[]byte](), client, redisbackend.WithLog())
	require.NoError(b, cache.Set(b.Context(), cacheKey, benchValue, benchTTL))
	hand := &byHand{l1: backendtest.NewMap[[]byte](), client: client}
	p := &pair{turns: distantTurns, turn: distantTurn, least: true, works: [2]func(ctx context.Context) error{
		func(ctx context.Context) error { return hand.setBare(ctx, handKey, benchValue, benchTTL) },
		func(ctx context.Context) error { return cache.Set(ctx, cacheKey, benchValue, benchTTL) },
	}}
	p.run(b, [2]string{"by_hand", "tiercache"})
}
