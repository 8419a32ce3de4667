package keepinconsistent_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/tracing/keepinconsistent"
)

// BenchmarkSet is the price of keeping: a Set in a trace that is not sampled, without
// this package, with it, and in a trace that is sampled.
func BenchmarkSet(b *testing.B) {
	never, always := sdktrace.ParentBased(sdktrace.NeverSample()), sdktrace.AlwaysSample()
	for _, bb := range []struct {
		name    string
		sampler sdktrace.Sampler
		keep    bool
		spans   tracing.TierSpans
	}{
		{"trace=unsampled/keep=no", never, false, tracing.TierSpansAll},
		{"trace=unsampled/keep=yes", keepinconsistent.Sampler(never), true, tracing.TierSpansAll},
		{"trace=unsampled/keep=yes/spans=failures", keepinconsistent.Sampler(never), true, tracing.TierSpansFailures},
		{"trace=sampled/keep=no", always, false, tracing.TierSpansAll},
		{"trace=sampled/keep=yes", keepinconsistent.Sampler(always), true, tracing.TierSpansAll},
	} {
		b.Run(bb.name, func(b *testing.B) {
			p := sdktrace.NewBatchSpanProcessor(tracetest.NewNoopExporter())
			if bb.keep {
				p = keepinconsistent.NewProcessor(p)
			}
			tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(bb.sampler), sdktrace.WithSpanProcessor(p))
			cache, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string](),
				tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(tp), tracing.WithTierSpans(bb.spans)))
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := cache.Set(context.Background(), "k", "v", 0); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, cache.Close(context.Background()))
			require.NoError(b, tp.Shutdown(context.Background()))
		})
	}
}
