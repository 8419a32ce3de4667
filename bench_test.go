package tiercache_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const benchKey = "user:4711"

// benchValue has 256 bytes, as in the comparison with other libraries.
var benchValue = string(make([]byte, 256))

// benchTelemetry names the states in which users run the library: switched off;
// with an SDK that does not sample the trace; and with one that does, in batches
// to an exporter that drops them.
var benchTelemetry = []string{"off", "unsampled", "sampled"}

func benchProviders(tb testing.TB, telemetry string) (trace.TracerProvider, metric.MeterProvider) {
	tb.Helper()
	sampler := sdktrace.AlwaysSample()
	switch telemetry {
	case "off":
		return tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()
	case "unsampled":
		sampler = sdktrace.NeverSample()
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithBatcher(dropSpans{}))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	tb.Cleanup(func() {
		require.NoError(tb, tp.Shutdown(context.Background()))
		require.NoError(tb, mp.Shutdown(context.Background()))
	})
	return tp, mp
}

type dropSpans struct{}

func (dropSpans) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (dropSpans) Shutdown(context.Context) error                             { return nil }

func benchCache(tb testing.TB, p writepolicy.Policy, tp trace.TracerProvider, mp metric.MeterProvider) *tiercache.Cache[string] {
	tb.Helper()
	cache, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string](),
		tiercache.WithWritePolicy(p),
		tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(tp), tracing.WithMeterProvider(mp)))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, cache.Close(context.Background())) })
	return cache
}

func BenchmarkSet(b *testing.B) {
	for _, p := range []writepolicy.Policy{
		writepolicy.Sequential(),
		writepolicy.Sequential(writepolicy.L2First),
		writepolicy.Parallel(),
		writepolicy.OptimisticParallel(),
		writepolicy.Race(),
		writepolicy.WriteAround(),
	} {
		for _, telemetry := range benchTelemetry {
			b.Run("policy="+writepolicy.NameOf(p)+"/telemetry="+telemetry, func(b *testing.B) {
				tp, mp := benchProviders(b, telemetry)
				cache, ctx := benchCache(b, p, tp, mp), context.Background()
				b.ReportAllocs()
				for b.Loop() {
					if err := cache.Set(ctx, benchKey, benchValue, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkByHand(b *testing.B) {
	for _, telemetry := range benchTelemetry {
		b.Run("set/telemetry="+telemetry, func(b *testing.B) {
			tp, mp := benchProviders(b, telemetry)
			hand, ctx := newByHand(b, tp, mp), context.Background()
			set := hand.set
			if telemetry == "off" {
				set = hand.setBare
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := set(ctx, benchKey, benchValue); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("get_l1", func(b *testing.B) {
		var l1 backends.Backend[string] = backendtest.NewMap[string]()
		ctx := context.Background()
		require.NoError(b, l1.Set(ctx, benchKey, backends.Entry[string]{Value: benchValue}))
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := l1.Get(ctx, benchKey); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}

// coherentCache returns a cache whose L1 has the key, and is trusted for an hour.
func coherentCache(tb testing.TB) *tiercache.Cache[string] {
	tb.Helper()
	tp, mp := benchProviders(tb, "sampled")
	l2 := backendtest.NewStore[string]().Client()
	cache, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithCoherence(time.Hour, tiercache.AskL2),
		tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(tp), tracing.WithMeterProvider(mp)))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, cache.Close(context.Background())) })
	<-l2.Watched()
	require.True(tb, l2.Sync())
	require.NoError(tb, cache.Set(tb.Context(), benchKey, benchValue, 0))
	return cache
}

// BenchmarkGet/hit=l1 finds the value in L1, on one goroutine and on all
// processors; hit=l2 finds it in L2 at every read, because L1 keeps nothing.
func BenchmarkGet(b *testing.B) {
	hitL1 := func(b *testing.B, telemetry string) *tiercache.Cache[string] {
		b.Helper()
		tp, mp := benchProviders(b, telemetry)
		cache := benchCache(b, writepolicy.Sequential(), tp, mp)
		require.NoError(b, cache.Set(b.Context(), benchKey, benchValue, 0))
		b.ReportAllocs()
		return cache
	}
	for _, telemetry := range []string{"off", "on"} {
		b.Run("hit=l1/telemetry="+telemetry, func(b *testing.B) {
			cache, ctx := hitL1(b, map[string]string{"off": "off", "on": "sampled"}[telemetry]), context.Background()
			for b.Loop() {
				if _, ok, err := cache.Get(ctx, benchKey); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
	// A hit that is known to be fresh, beside the same without coherence and one reading
	// of the clock.
	b.Run("hit=l1/telemetry=on_and_clock", func(b *testing.B) {
		cache, ctx, begun := hitL1(b, "sampled"), context.Background(), time.Now()
		for b.Loop() {
			if _, ok, err := cache.Get(ctx, benchKey); !ok || err != nil || time.Since(begun) < 0 {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("hit=l1/coherence=on", func(b *testing.B) {
		cache, ctx := coherentCache(b), context.Background()
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := cache.Get(ctx, benchKey); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	// L1 has no lock, so only the cache itself can fail to scale: compare runs with
	// -cpu 1,2 and so on.
	b.Run("hit=l1/telemetry=on_parallel", func(b *testing.B) {
		tp, mp := benchProviders(b, "sampled")
		cache, err := tiercache.New[string]("users", constant{backendtest.NewMap[string]()}, backendtest.NewMap[string](),
			tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(tp), tracing.WithMeterProvider(mp)))
		require.NoError(b, err)
		ctx := context.Background()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, ok, err := cache.Get(ctx, benchKey); !ok || err != nil {
					b.Error(ok, err)
				}
			}
		})
	})
	for _, telemetry := range benchTelemetry {
		b.Run("hit=l2/telemetry="+telemetry, func(b *testing.B) {
			tp, mp := benchProviders(b, telemetry)
			l2, ctx := backendtest.NewMap[string](), context.Background()
			require.NoError(b, l2.Set(ctx, benchKey, backends.Entry[string]{Value: benchValue}))
			cache, err := tiercache.New("users", forgetful{backendtest.NewMap[string]()}, l2,
				tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(tp), tracing.WithMeterProvider(mp)))
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := cache.Get(ctx, benchKey); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// constant is an L1 that has one value for all keys.
type constant struct{ *backendtest.Map[string] }

func (constant) Get(context.Context, string) (entry backends.Entry[string], ok bool, err error) {
	return backends.Entry[string]{Value: benchValue}, true, nil
}

func (constant) GetValue(context.Context, string) (value string, ok bool, err error) {
	return benchValue, true, nil
}

// forgetful is an L1 that evicts everything at once.
type forgetful struct{ *backendtest.Map[string] }

func (forgetful) Set(context.Context, string, backends.Entry[string]) error { return nil }

func BenchmarkGetOrLoad(b *testing.B) {
	b.Run("hit=l1/telemetry=on", func(b *testing.B) {
		tp, mp := benchProviders(b, "sampled")
		cache, ctx := benchCache(b, writepolicy.Sequential(), tp, mp), context.Background()
		load := func(context.Context, string) (string, error) { return benchValue, nil }
		b.ReportAllocs()
		for b.Loop() {
			if _, err := cache.GetOrLoad(ctx, benchKey, 0, load); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// byHand is the code of a careful engineer without a library: the two calls, three
// spans and three records of a histogram, with options that are built once. TestByHand
// shows that its spans and metrics are those of a cache.
type byHand struct {
	l1, l2         backends.Backend[string]
	tracer         trace.Tracer
	op, tier       metric.Float64Histogram
	start          [3][]trace.SpanStartOption // of the operation, of L1, of L2
	record         [3][]metric.RecordOption
	opEnd, tierEnd []attribute.KeyValue
	opName         string
	l1Name, l2Name string
}

func newByHand(tb testing.TB, tp trace.TracerProvider, mp metric.MeterProvider) *byHand {
	tb.Helper()
	meter := mp.Meter(tracing.ScopeName,
		metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	bounds := metric.WithExplicitBucketBoundaries(
		1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4,
		1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
	op, err := meter.Float64Histogram("tiercache.operation.duration", metric.WithUnit("s"), bounds)
	require.NoError(tb, err)
	tier, err := meter.Float64Histogram("tiercache.tier.operation.duration", metric.WithUnit("s"), bounds)
	require.NoError(tb, err)
	h := &byHand{
		l1: backendtest.NewMap[string](), l2: backendtest.NewMap[string](),
		tracer: tp.Tracer(tracing.ScopeName), op: op, tier: tier,
		opName: "set users", l1Name: "set users l1", l2Name: "set users l2",
	}
	common := []attribute.KeyValue{
		attribute.String("tiercache.cache.name", "users"), attribute.String("tiercache.operation.name", "set"),
	}
	own := [3]attribute.KeyValue{
		attribute.String("tiercache.policy.name", "sequential"),
		attribute.String("tiercache.tier.name", "l1"), attribute.String("tiercache.tier.name", "l2"),
	}
	applied := attribute.String("tiercache.outcome", "applied")
	for i := range own {
		attrs := slices.Concat(common, own[i:i+1])
		h.start[i] = []trace.SpanStartOption{trace.WithAttributes(attrs...), trace.WithSpanKind(trace.SpanKindInternal)}
		if i > 0 {
			attrs = append(slices.Clip(attrs), applied)
		}
		h.record[i] = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
	}
	h.tierEnd = []attribute.KeyValue{applied}
	h.opEnd = []attribute.KeyValue{
		attribute.String("tiercache.l1.outcome", "applied"), attribute.String("tiercache.l2.outcome", "applied"),
		attribute.Bool("tiercache.consistent", true),
	}
	return h
}

func (h *byHand) setBare(ctx context.Context, key, value string) error {
	entry := backends.Entry[string]{Value: value}
	if err := h.l1.Set(ctx, key, entry); err != nil {
		return err
	}
	return h.l2.Set(ctx, key, entry)
}

func (h *byHand) set(ctx context.Context, key, value string) error {
	begin := time.Now()
	ctx, span := h.tracer.Start(ctx, h.opName, h.start[0]...)
	defer span.End()
	entry := backends.Entry[string]{Value: value}
	if err := h.setTier(ctx, h.l1, h.l1Name, h.start[1], h.record[1], key, entry); err != nil {
		return err
	}
	if err := h.setTier(ctx, h.l2, h.l2Name, h.start[2], h.record[2], key, entry); err != nil {
		return err
	}
	h.op.Record(ctx, time.Since(begin).Seconds(), h.record[0]...)
	span.SetAttributes(h.opEnd...)
	return nil
}

func (h *byHand) setTier(
	ctx context.Context, tier backends.Backend[string], name string,
	start []trace.SpanStartOption, record []metric.RecordOption, key string, entry backends.Entry[string],
) error {
	begin := time.Now()
	ctx, span := h.tracer.Start(ctx, name, start...)
	defer span.End()
	if err := tier.Set(ctx, key, entry); err != nil {
		return err
	}
	h.tier.Record(ctx, time.Since(begin).Seconds(), record...)
	span.SetAttributes(h.tierEnd...)
	return nil
}
