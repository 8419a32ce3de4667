package keepinconsistent_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/tracing/keepinconsistent"
)

var errRefused = errors.New("refused")

// fixture is a cache in a process that samples no trace, unless a test says otherwise.
type fixture struct {
	cache     *tiercache.Cache[string]
	l1, l2    *backendtest.Faults[string]
	provider  *sdktrace.TracerProvider
	processor *keepinconsistent.Processor
	exported  *tracetest.InMemoryExporter
}

func newFixture(t *testing.T, base sdktrace.Sampler, limits []keepinconsistent.Option, spans tracing.TierSpans, opts ...tiercache.Option) *fixture {
	t.Helper()
	f := &fixture{
		l1:       backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{InProcess: true}),
		l2:       backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{System: "map"}),
		exported: tracetest.NewInMemoryExporter(),
	}
	f.processor = keepinconsistent.NewProcessor(sdktrace.NewSimpleSpanProcessor(f.exported), limits...)
	f.provider = sdktrace.NewTracerProvider(
		sdktrace.WithSampler(keepinconsistent.Sampler(base)), sdktrace.WithSpanProcessor(f.processor))
	var err error
	f.cache, err = tiercache.New("users", f.l1, f.l2, append([]tiercache.Option{
		tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(f.provider), tracing.WithTierSpans(spans)),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, f.cache.Close(context.WithoutCancel(t.Context())))
		require.NoError(t, f.provider.Shutdown(context.WithoutCancel(t.Context())))
	})
	return f
}

// names are those of the exported spans, sorted.
func (f *fixture) names() (names []string) {
	for _, s := range f.exported.GetSpans() {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

func never() sdktrace.Sampler { return sdktrace.ParentBased(sdktrace.NeverSample()) }
