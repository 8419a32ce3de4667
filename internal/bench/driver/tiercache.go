package driver

import (
	"context"
	"sync/atomic"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// sampling is the share of the operations whose trace is sampled.
type sampling float64

const (
	telemetryOff sampling = -1 // no metrics either
	sampleSome   sampling = 0.01
	sampleAll    sampling = 1
)

// tiercacheDriver is tiercache over the tiers as they are. With telemetry, the spans of
// sampled operations go in batches to an exporter that drops them, and all metrics are
// kept; without, the global providers are left out.
func tiercacheDriver(name string, l2First bool, sampled sampling) Driver {
	return Driver{
		Name:   name,
		Module: "github.com/tiercache/tiercache",
		New: func(cfg Config) (*Cache, error) {
			l1, closeL1, err := cfg.l1()
			if err != nil {
				return nil, err
			}
			events := &eventCounter{}
			opts := []tracing.Option{tracing.Disabled()}
			shutdown := nothing
			if sampled != telemetryOff {
				opts, shutdown = events.providers(sampled)
			}
			policy := writepolicy.Sequential()
			if l2First {
				policy = writepolicy.Sequential(writepolicy.L2First)
			}
			cache, err := tiercache.New("users", l1, cfg.L2,
				tiercache.WithWritePolicy(policy), tiercache.WithTelemetry(opts...))
			if err != nil {
				return nil, err
			}
			load := cfg.Load
			return &Cache{
				Set: func(ctx context.Context, key string, value []byte) error {
					return cache.Set(ctx, key, value, cfg.TTL)
				},
				Get: func(ctx context.Context, key string) ([]byte, bool, error) {
					return cache.Get(ctx, key)
				},
				Delete: cache.Delete,
				SetIfAbsent: func(ctx context.Context, key string, value []byte) error {
					_, _, err := cache.SetIfAbsent(ctx, key, value, cfg.TTL)
					return err
				},
				GetOrLoad: func(ctx context.Context, key string) ([]byte, error) {
					return cache.GetOrLoad(ctx, key, cfg.TTL,
						load)
				},
				Settle:    nothing,
				Telemetry: func() Telemetry { return Telemetry{Events: int(events.n.Load())} },
				Close: func() {
					_ = cache.Close(context.Background())
					shutdown()
					closeL1()
				},
			}, nil
		},
	}
}

// eventCounter is a span processor that counts the inconsistency events, as an
// operator finds them in the traces.
type eventCounter struct{ n atomic.Int64 }

var _ sdktrace.SpanProcessor = (*eventCounter)(nil)

// OnStart does nothing.
func (*eventCounter) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd counts the events of a span.
func (e *eventCounter) OnEnd(span sdktrace.ReadOnlySpan) {
	for _, event := range span.Events() {
		if event.Name == tracing.EventInconsistency {
			e.n.Add(1)
		}
	}
}

// Shutdown does nothing.
func (*eventCounter) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing.
func (*eventCounter) ForceFlush(context.Context) error { return nil }

func (e *eventCounter) providers(sampled sampling) (opts []tracing.Option, shutdown func()) {
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.TraceIDRatioBased(float64(sampled))),
		sdktrace.WithBatcher(dropSpans{}), sdktrace.WithSpanProcessor(e))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	opts = []tracing.Option{
		tracing.WithTracerProvider(tp), tracing.WithMeterProvider(mp), tracing.Disabled(),
	}
	return opts, func() {
		_ = tp.Shutdown(context.Background())
		_ = mp.Shutdown(context.Background())
	}
}

type dropSpans struct{}

func (dropSpans) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (dropSpans) Shutdown(context.Context) error                             { return nil }
