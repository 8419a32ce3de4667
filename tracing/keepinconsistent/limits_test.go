package keepinconsistent_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/tracing/keepinconsistent"
)

// A flood of writes that all hang at L2: what is held is bounded, and each span that
// tells of an inconsistency is exported all the same.
func TestProcessor_IsBoundedInSpans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const writes, maxSpans = 500, 100
		f := newFixture(t, never(), []keepinconsistent.Option{keepinconsistent.WithMaxSpans(maxSpans)}, tracing.TierSpansAll)
		f.l2.Always(tier.Set, backendtest.Hang())
		var wg sync.WaitGroup
		for i := range writes {
			wg.Go(func() { _ = f.cache.Set(t.Context(), fmt.Sprint(i), "v", 0) })
		}
		synctest.Wait()
		assert.EqualValues(t, maxSpans, f.processor.Stats().Followed)
		wg.Wait()
		told := 0
		for _, s := range f.exported.GetSpans() {
			if s.Name == "set users" {
				told++
			}
		}
		assert.Equal(t, writes, told)
		assert.Positive(t, f.processor.Stats().Lost)
		assert.Zero(t, f.processor.Stats().Followed)
	})
}

// Spans with long texts are held up to a size.
func TestProcessor_IsBoundedInBytes(t *testing.T) {
	t.Parallel()
	const maxBytes = 20_000
	tp, p, exported := newProvider(keepinconsistent.WithMaxBytes(maxBytes))
	tracer := tp.Tracer(tracing.ScopeName)
	long := tracing.AttrKey.String(strings.Repeat("k", 4000))
	cache := trace.WithAttributes(tracing.AttrCache.String("users"))
	ctx, root := tracer.Start(t.Context(), "set users", cache)
	for range 100 {
		_, span := tracer.Start(ctx, "set users l2", cache, trace.WithAttributes(long))
		span.End()
		assert.LessOrEqual(t, p.Stats().Bytes, int64(maxBytes))
	}
	assert.EqualValues(t, 96, p.Stats().Lost, "four are held")
	root.SetAttributes(tracing.AttrConsistent.Bool(false), tracing.AttrOperation.String("set"),
		tracing.AttrL1Outcome.String("applied"), tracing.AttrL2Outcome.String("failed"))
	root.End()
	assert.Len(t, exported.GetSpans(), 5)
	assert.Zero(t, p.Stats().Bytes)
	assert.Zero(t, p.Stats().Followed)
}

// An operation that takes too long loses the spans that wait, but not the one that
// tells of the inconsistency.
func TestProcessor_IsBoundedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, never(), []keepinconsistent.Option{keepinconsistent.WithMaxAge(time.Second)}, tracing.TierSpansAll)
		f.l2.Next(tier.Set, backendtest.Chain(backendtest.Delay(2*time.Second), backendtest.FailBefore(errRefused)))
		require.Error(t, f.cache.Set(t.Context(), "k", "v", 0))
		assert.Equal(t, []string{"set users"}, f.names())
		assert.EqualValues(t, 3, f.processor.Stats().Lost)
	})
}

// At the end, what was kept is exported, and nothing waits any more.
func TestProcessor_ShutdownDrains(t *testing.T) {
	t.Parallel()
	exported := tracetest.NewInMemoryExporter()
	kept := &keeping{InMemoryExporter: exported}
	p := keepinconsistent.NewProcessor(sdktrace.NewBatchSpanProcessor(kept, sdktrace.WithBatchTimeout(time.Hour)))
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(keepinconsistent.Sampler(never())), sdktrace.WithSpanProcessor(p))
	tracer := tp.Tracer(tracing.ScopeName)
	cache := trace.WithAttributes(tracing.AttrCache.String("users"))
	_, bad := tracer.Start(t.Context(), "set users", cache)
	bad.SetAttributes(tracing.AttrConsistent.Bool(false))
	bad.End()
	_, open := tracer.Start(t.Context(), "set users", cache)

	require.NoError(t, tp.Shutdown(t.Context()))
	assert.EqualValues(t, 1, kept.spans.Load())
	assert.Zero(t, p.Stats().Followed)
	open.SetAttributes(tracing.AttrConsistent.Bool(false))
	open.End() // harmless
	assert.EqualValues(t, 1, kept.spans.Load())
}

// keeping counts, because the exporter forgets its spans at the end.
type keeping struct {
	*tracetest.InMemoryExporter
	spans atomic.Int64
}

func (k *keeping) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	k.spans.Add(int64(len(spans)))
	return k.InMemoryExporter.ExportSpans(ctx, spans)
}

// Many writers at once: each inconsistency that the hook is told of has its span, with
// the spans of both tiers, and nothing is left.
func TestProcessor_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	var reported atomic.Int64
	f := newFixture(t, never(), nil, tracing.TierSpansAll,
		tiercache.WithInconsistencyHook(func(context.Context, tiercache.Inconsistency) { reported.Add(1) }))
	var n atomic.Int64
	f.l2.Always(tier.Set, func(ctx context.Context, apply func(context.Context) error) error {
		if n.Add(1)%7 == 0 {
			return errRefused
		}
		return apply(ctx)
	})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				_ = f.cache.Set(t.Context(), fmt.Sprint(w, i%5), "v", 0)
				_ = f.processor.Stats()
			}
		})
	}
	wg.Wait()
	names := map[string]int{}
	for _, s := range f.exported.GetSpans() {
		names[s.Name]++
	}
	want := int(reported.Load())
	assert.Positive(t, want)
	assert.Equal(t, map[string]int{"set users": want, "set users l1": want, "set users l2": want}, names)
	assert.Equal(t, keepinconsistent.Stats{Kept: int64(3 * want)}, f.processor.Stats())
}

// Options that say nothing leave the defaults, and a processor without a next one
// does no harm.
func TestProcessor_Defaults(t *testing.T) {
	t.Parallel()
	p := keepinconsistent.NewProcessor(nil, nil,
		keepinconsistent.WithMaxSpans(0), keepinconsistent.WithMaxBytes(-1), keepinconsistent.WithMaxAge(0))
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(keepinconsistent.Sampler(never())), sdktrace.WithSpanProcessor(p))
	tracer := tp.Tracer(tracing.ScopeName)
	for range keepinconsistent.DefaultMaxSpans + 1 {
		tracer.Start(t.Context(), "set users", trace.WithAttributes(tracing.AttrCache.String("users"))) //nolint:spancheck // they stay open
	}
	assert.EqualValues(t, keepinconsistent.DefaultMaxSpans, p.Stats().Followed)
	assert.EqualValues(t, 1, p.Stats().Lost)
	require.NoError(t, tp.ForceFlush(t.Context()))
	require.NoError(t, tp.Shutdown(t.Context()))
	assert.Zero(t, p.Stats().Followed)
}

func newProvider(limits ...keepinconsistent.Option) (*sdktrace.TracerProvider, *keepinconsistent.Processor, *tracetest.InMemoryExporter) {
	exported := tracetest.NewInMemoryExporter()
	p := keepinconsistent.NewProcessor(sdktrace.NewSimpleSpanProcessor(exported), limits...)
	return sdktrace.NewTracerProvider(sdktrace.WithSampler(keepinconsistent.Sampler(never())), sdktrace.WithSpanProcessor(p)), p, exported
}
