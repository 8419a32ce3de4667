package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	soakUsers    = 6
	soakKeys     = 4 // of a round
	soakTroubles = 4 // of a round
	soakTimeout  = 250 * time.Millisecond
)

// soakTime is TIERCACHE_SOAK, for instance 60s.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TIERCACHE_SOAK")
	if text == "" {
		return 5 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "TIERCACHE_SOAK must be a duration")
	return d
}

// soakSeed is TIERCACHE_SEED, or new at every run. It decides what is written and
// what goes wrong, though not when exactly.
func soakSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("TIERCACHE_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "TIERCACHE_SEED must be a number")
	return seed
}

// soak is a run in rounds. Each has a cache and keys of its own, so that a report
// does not excuse a later round, and ends in the middle of a trouble.
type soak struct {
	t      *testing.T
	ctx    context.Context // that of the test
	seed   uint64
	policy writepolicy.Policy
	server *server.Redis
	proxy  *proxy

	writes, events, differ int
}

// For a minute, several users write and read a few keys while Redis and the way to
// it are in trouble of all kinds. When all is well again, the tiers may differ
// only in keys that were reported since they were last written well.
func TestSoak(t *testing.T) {
	t.Parallel()
	d, seed := soakTime(t), soakSeed(t)
	for name, policy := range map[string]writepolicy.Policy{
		"sequential": writepolicy.Sequential(), "sequential_l2_first": writepolicy.Sequential(writepolicy.L2First),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &soak{t: t, ctx: t.Context(), seed: seed, policy: policy, server: startRedis(t, durable...)}
			rounds := 0
			for end := time.Now().Add(d); rounds == 0 || time.Now().Before(end) && !t.Failed(); rounds++ {
				s.round(rounds)
			}
			t.Logf("TIERCACHE_SEED=%d TIERCACHE_SOAK=%s: %d rounds, %d writes, %d reported, %d keys differed in the end",
				seed, d, rounds, s.writes, s.events, s.differ)
			// Nothing would be shown if all was well, or all was reported.
			assert.Positive(t, s.events)
			assert.Less(t, s.events, s.writes)
			if name == "sequential" {
				assert.Positive(t, s.differ, "with the events suppressed, the check must find what they reported")
			} else {
				assert.Zero(t, s.differ, "with L2 first, L1 has nothing that L2 does not have")
			}
		})
	}
}

func (s *soak) round(n int) {
	t := s.t
	rng := rand.New(rand.NewPCG(s.seed, uint64(n)))
	s.proxy = newProxy(t, s.server.Addr)
	o := clientOptions(s.proxy.Listen)
	o.MaxRetries = 3
	client := redis.NewClient(o)
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
	require.NoError(t, err)
	l2, err := backends.WithCodec(store, backends.String())
	require.NoError(t, err)
	l1, err := otterbackend.New[string]()
	require.NoError(t, err)
	defer func() { assert.NoError(t, l1.Close()) }()
	r := newRecord()
	var hooks atomic.Int64
	cache, err := tiercache.New("soak", l1, l2,
		tiercache.WithWritePolicy(s.policy), tiercache.WithWriteTimeout(soakTimeout),
		tiercache.WithTelemetry(tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r))),
			tracing.WithKey(func(key string) string { return key }), tracing.Disabled()),
		tiercache.WithInconsistencyHook(func(context.Context, tiercache.Inconsistency) { hooks.Add(1) }))
	require.NoError(t, err)

	var keys []string
	for k := range soakKeys {
		keys = append(keys, fmt.Sprintf("round %d, key %d", n, k))
	}
	stop := make(chan struct{})
	var users sync.WaitGroup
	for u := range soakUsers {
		own := rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
		users.Go(func() { use(s.ctx, cache, keys, u, own, stop) })
	}
	last := s.makeTrouble(rng, n)
	close(stop)
	users.Wait()
	s.heal(last)

	require.NoError(t, cache.Close(s.ctx))
	require.NoError(t, client.Close())
	s.drain()
	s.check(r, l1, keys)
	assert.EqualValues(t, r.events, hooks.Load(), "events on spans, and calls of the hook")
	s.proxy.Stop()
}

// makeTrouble lets one trouble follow the other. It does not end the last one, in
// which the users are left alone for a while.
func (s *soak) makeTrouble(rng *rand.Rand, round int) (last trouble) {
	all := troubles()
	for i := range soakTroubles {
		s.wait(time.Duration(20+rng.IntN(80)) * time.Millisecond)
		last = all[rng.IntN(len(all))]
		if round == 0 && i == soakTroubles-1 {
			last = readOnly()
		}
		d := time.Duration(50+rng.IntN(400)) * time.Millisecond
		last.begin(s, d)
		s.wait(d)
		if i < soakTroubles-1 {
			s.heal(last)
		}
	}
	return last
}

func (s *soak) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// use reads and writes until stop is closed. What is written is written once.
func use(ctx context.Context, cache *tiercache.Cache[string], keys []string, user int, own *rand.Rand, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		key := keys[own.IntN(len(keys))]
		ctx, cancel := context.WithTimeout(ctx, time.Duration(1+own.IntN(500))*time.Millisecond)
		switch n := own.IntN(100); {
		case n < 55:
			_ = cache.Set(ctx, key, fmt.Sprintf("%d/%d", user, i), 0)
		case n < 70:
			_ = cache.Delete(ctx, key)
		default:
			_, _, _ = cache.Get(ctx, key)
		}
		cancel()
	}
}

// drain waits until Redis has done with all connections but its administration's.
func (s *soak) drain() {
	s.t.Helper()
	eventually(s.t, "Redis has seen the ends of all connections", func(ctx context.Context) error {
		list, err := s.server.Admin.ClientList(ctx).Result()
		if err == nil && others(list) > 0 {
			err = errors.New(list)
		}
		return err
	})
}
