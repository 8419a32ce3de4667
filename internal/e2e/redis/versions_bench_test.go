package redis_test

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/redislog"
)

// newBareCache is a cache without telemetry over a map and a Redis.
func newBareCache(tb testing.TB, l1 backends.Backend[[]byte], client *redis.Client, opts ...redisbackend.Option) *tiercache.Cache[[]byte] {
	tb.Helper()
	l2, err := redisbackend.New(client, append(opts, redisbackend.WithoutKeyPrefix())...)
	require.NoError(tb, err)
	cache, err := tiercache.New("users", l1, l2)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, cache.Close(context.Background())) })
	return cache
}

// scriptByHand is the script of an unconditional write, called as somebody calls it who
// has no library.
type scriptByHand struct {
	client       *redis.Client
	sha          string
	place        string
	id, high     string
	before, rest []byte // of the value's header and the value
}

// newScriptByHand needs a server whose log has begun.
func newScriptByHand(tb testing.TB, client *redis.Client) *scriptByHand {
	tb.Helper()
	log := redislog.New("", 1, redislog.DefaultLength)
	call := log.Prepare(&backends.Write[[]byte]{Key: "k"}).Call(new(redislog.Place), time.Now())
	s := &scriptByHand{client: client, sha: call.Script.SHA}
	var err error
	s.place, err = client.Get(tb.Context(), placeKey).Result()
	require.NoError(tb, err)
	era, _, _ := strings.Cut(s.place, " ")
	n, err := strconv.Atoi(era)
	require.NoError(tb, err)
	s.id, s.high = era+"-*", strconv.Itoa(2*n)
	s.before = []byte{0xC1, 0x82, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	s.rest = append(make([]byte, 16), benchValue...)
	return s
}

// set is one write. It has a deadline, in microseconds, if before is not "".
func (s *scriptByHand) set(ctx context.Context, key, before string, ttl time.Duration) error {
	head := append(make([]byte, 0, len(s.before)), s.before...)
	binary.BigEndian.PutUint64(head[4:], uint64(time.Now().Add(ttl).UnixNano())) //nolint:gosec // not before 1970
	return s.client.EvalSha(ctx, s.sha, []string{"v2:{0/1}:" + key, logKey, placeKey}, s.place, s.id, s.high, before, key,
		"s\x00\x00\x00\x00\x00\x00\x00\x00", head, s.rest, ttl.Milliseconds()).Err()
}

// A Set of a cache whose L2 issues versions, against the same script and the same map.
func BenchmarkRedisVersionedSet(b *testing.B) {
	client := newClient(b)
	cache := newBareCache(b, backendtest.NewMap[[]byte](), client, redisbackend.WithLog())
	require.NoError(b, cache.Set(b.Context(), cacheKey, benchValue, benchTTL))
	script, l1 := newScriptByHand(b, client), backendtest.NewMap[[]byte]()
	p := &pair{turns: benchTurns, turn: benchTurn, works: [2]func(ctx context.Context) error{
		func(ctx context.Context) error {
			if err := l1.Set(ctx, handKey, entryOf(benchValue, benchTTL)); err != nil {
				return err
			}
			return script.set(ctx, handKey, "", benchTTL)
		},
		func(ctx context.Context) error { return cache.Set(ctx, cacheKey, benchValue, benchTTL) },
	}}
	p.run(b, [2]string{"by_hand", "tiercache"})
}
