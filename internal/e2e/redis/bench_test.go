package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tracing"
)

// benchTTL is one that go-redis sends in milliseconds (PX), as the backend does.
const benchTTL = time.Hour + time.Millisecond

var benchValue = make([]byte, 64)

// benchFixture is the same work twice over one Redis: by a cache and by hand, each with a
// map as L1 and with keys of its own, because their values are not the same.
type benchFixture struct {
	cache *tiercache.Cache[[]byte]
	hand  *byHand
}

const (
	cacheKey = "user:4711"
	handKey  = "user:4712"
)

// newClient is one for all that is compared, because two connections to one server
// need not be equally fast.
func newClient(tb testing.TB) *redis.Client {
	tb.Helper()
	return newClientOf(tb, startRedis(tb))
}

func newClientOf(tb testing.TB, s *server.Redis) *redis.Client {
	tb.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Addr, ContextTimeoutEnabled: true})
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// newBenchFixture is for Gets that find nothing in L1, which is not filled by them.
func newBenchFixture(tb testing.TB, client *redis.Client, tp trace.TracerProvider, mp metric.MeterProvider) *benchFixture {
	tb.Helper()
	l2, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
	require.NoError(tb, err)
	cache, err := tiercache.New("users", backendtest.NewMap[[]byte](), l2, tiercache.WithRefill(tiercache.RefillNever),
		tiercache.WithTelemetry(tracing.WithTracerProvider(tp), tracing.WithMeterProvider(mp), tracing.Disabled()))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, cache.Close(context.Background())) })
	return &benchFixture{cache, newByHand(tb, client, l2.Describe(), tp, mp)}
}

// fill puts what is to be read into Redis, past L1.
func (r *benchFixture) fill(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, r.hand.client.Set(tb.Context(), handKey, benchValue, benchTTL).Err())
	l2, err := redisbackend.New(r.hand.client, redisbackend.WithoutKeyPrefix())
	require.NoError(tb, err)
	require.NoError(tb, l2.Set(tb.Context(), cacheKey, entryOf(benchValue, benchTTL)))
}

func benchFixtureWith(b *testing.B, client *redis.Client, telemetry string) *benchFixture {
	b.Helper()
	if telemetry == "off" {
		return newBenchFixture(b, client, tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider())
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithBatcher(dropSpans{}))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	b.Cleanup(func() {
		require.NoError(b, tp.Shutdown(context.Background()))
		require.NoError(b, mp.Shutdown(context.Background()))
	})
	return newBenchFixture(b, client, tp, mp)
}

type dropSpans struct{}

func (dropSpans) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (dropSpans) Shutdown(context.Context) error                             { return nil }

// work is one operation over a benchFixture.
type work func(ctx context.Context, r *benchFixture) error

// bench compares what a cache does with the same by hand, without telemetry and
// with all of it.
func bench(b *testing.B, prepare func(tb testing.TB, r *benchFixture), cached, bare, traced work) {
	b.Helper()
	client := newClient(b)
	for _, telemetry := range []string{"off", "sampled"} {
		r, hand := benchFixtureWith(b, client, telemetry), bare
		if telemetry == "sampled" {
			hand = traced
		}
		prepare(b, r)
		p := &pair{turns: benchTurns, turn: benchTurn, works: [2]func(ctx context.Context) error{
			func(ctx context.Context) error { return hand(ctx, r) },
			func(ctx context.Context) error { return cached(ctx, r) },
		}}
		p.run(b, [2]string{"by_hand/telemetry=" + telemetry, "tiercache/telemetry=" + telemetry})
	}
}

func BenchmarkRedisSet(b *testing.B) {
	bench(b, func(testing.TB, *benchFixture) {},
		func(ctx context.Context, r *benchFixture) error {
			return r.cache.Set(ctx, cacheKey, benchValue, benchTTL)
		},
		func(ctx context.Context, r *benchFixture) error {
			return r.hand.setBare(ctx, handKey, benchValue, benchTTL)
		},
		func(ctx context.Context, r *benchFixture) error {
			return r.hand.setTraced(ctx, handKey, benchValue, benchTTL)
		},
	)
}

// L1 has nothing and gets nothing.
func BenchmarkRedisGet(b *testing.B) {
	bench(b, func(tb testing.TB, r *benchFixture) { tb.Helper(); r.fill(tb) },
		func(ctx context.Context, r *benchFixture) error {
			_, ok, err := r.cache.Get(ctx, cacheKey)
			if err == nil && !ok {
				return errMiss
			}
			return err
		},
		func(ctx context.Context, r *benchFixture) error {
			_, err := r.hand.getBare(ctx, handKey)
			return err
		},
		func(ctx context.Context, r *benchFixture) error {
			_, err := r.hand.getTraced(ctx, handKey)
			return err
		},
	)
}
