//go:build !race

// The race detector makes sync.Pool forget at random, so these tests run without
// it; make test does that too.

package tiercache_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const allocRuns = 1000

func TestAllocsTelemetryOff(t *testing.T) {
	cancellable, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, p := range []writepolicy.Policy{
		writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First), writepolicy.WriteAround(),
	} {
		for _, test := range []struct {
			name    string
			ctx     context.Context
			allowed float64
		}{
			{"background", context.Background(), 0},
			{"cancellable", cancellable, 1}, // context.WithoutCancel
		} {
			t.Run(writepolicy.NameOf(p)+"/"+test.name, func(t *testing.T) {
				tp, mp := benchProviders(t, "off")
				cache, ctx := benchCache(t, p, tp, mp), test.ctx
				assert.LessOrEqual(t, testing.AllocsPerRun(allocRuns, func() {
					_ = cache.Set(ctx, benchKey, benchValue, time.Hour)
				}), test.allowed, "Set")
				assert.LessOrEqual(t, testing.AllocsPerRun(allocRuns, func() {
					_ = cache.Delete(ctx, benchKey)
				}), test.allowed, "Delete")
				require.NoError(t, cache.Set(ctx, benchKey, benchValue, time.Hour))
				assert.Zero(t, testing.AllocsPerRun(allocRuns, func() {
					_, _, _ = cache.Get(ctx, benchKey)
				}), "Get")
			})
		}
	}
}

// A slog logger and a hook cost nothing as long as there is nothing to tell.
func TestAllocsOnlyEvents(t *testing.T) {
	cache, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string](),
		newRecorder().options(tracing.WithTracerProvider(nil), tracing.WithMeterProvider(nil), tracing.Disabled())...)
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(allocRuns, func() {
		_ = cache.Set(context.Background(), benchKey, benchValue, 0)
	}))
}

// A hit in L1 allocates nothing, with metrics on and the trace sampled.
func TestAllocsHit(t *testing.T) {
	tp, mp := benchProviders(t, "sampled")
	cache, ctx := benchCache(t, writepolicy.Sequential(), tp, mp), context.Background()
	require.NoError(t, cache.Set(ctx, benchKey, benchValue, time.Hour))
	assert.Zero(t, testing.AllocsPerRun(allocRuns, func() { _, _, _ = cache.Get(ctx, benchKey) }))
	load := func(context.Context, string) (string, error) { return benchValue, nil }
	assert.Zero(t, testing.AllocsPerRun(allocRuns, func() { _, _ = cache.GetOrLoad(ctx, benchKey, time.Hour, load) }))
	assert.Zero(t, testing.AllocsPerRun(allocRuns, func() { _, _, _ = cache.Get(ctx, benchKey, tiercache.SkipL2()) }))
	assert.Zero(t, testing.AllocsPerRun(allocRuns, func() { _, _, _ = cache.GetEntry(ctx, benchKey) }))
}

// Neither does a miss, or a hit in L2 with its refill, with telemetry off.
func TestAllocsBeyondL1(t *testing.T) {
	cancellable, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, test := range []struct {
		name   string
		ctx    context.Context
		refill float64
	}{
		{"background", context.Background(), 0},
		{"cancellable", cancellable, 1}, // context.WithoutCancel
	} {
		t.Run(test.name, func(t *testing.T) {
			l1, l2, ctx := backendtest.NewMap[string](), backendtest.NewMap[string](), test.ctx
			cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
			require.NoError(t, err)
			assert.Zero(t, testing.AllocsPerRun(allocRuns, func() { _, _, _ = cache.Get(ctx, benchKey) }), "miss")
			require.NoError(t, cache.Set(ctx, benchKey, benchValue, time.Hour))
			assert.LessOrEqual(t, testing.AllocsPerRun(allocRuns, func() {
				_ = l1.Delete(ctx, benchKey)
				_, _, _ = cache.Get(ctx, benchKey)
			}), test.refill, "refill")
		})
	}
}

// With telemetry on, a Set allocates no more than the same work by hand.
func TestAllocsTelemetryOn(t *testing.T) {
	for _, telemetry := range []string{"unsampled", "sampled"} {
		t.Run(telemetry, func(t *testing.T) {
			tp, mp := benchProviders(t, telemetry)
			cache, hand := benchCache(t, writepolicy.Sequential(), tp, mp), newByHand(t, tp, mp)
			ctx := context.Background()
			byCache := testing.AllocsPerRun(allocRuns, func() { _ = cache.Set(ctx, benchKey, benchValue, 0) })
			byHand := testing.AllocsPerRun(allocRuns, func() { _ = hand.set(ctx, benchKey, benchValue) })
			assert.LessOrEqual(t, byCache, byHand)
		})
	}
}

// The work by hand is the same: the same spans and metrics.
func TestByHand(t *testing.T) {
	ours, hands := newRecorder(), newRecorder()
	cache := benchCache(t, writepolicy.Sequential(), ours.TracerProvider(), ours.MeterProvider())
	require.NoError(t, cache.Set(t.Context(), benchKey, benchValue, 0))
	require.NoError(t, newByHand(t, hands.TracerProvider(), hands.MeterProvider()).set(t.Context(), benchKey, benchValue))
	assert.Equal(t, ours.Tree(), hands.Tree())
	assert.Equal(t, ours.metrics(t), hands.metrics(t))
}

// A hit in L1 that is known to be fresh costs no memory.
func TestAllocsCoherence(t *testing.T) {
	cache, ctx := coherentCache(t), context.Background()
	assert.Zero(t, testing.AllocsPerRun(allocRuns, func() {
		if _, ok, err := cache.Get(ctx, benchKey); !ok || err != nil {
			t.Error(ok, err)
		}
	}))
}
