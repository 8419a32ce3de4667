package keepinconsistent_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/tracing/keepinconsistent"
)

// Of what the next sampler drops, spans of caches are recorded. Its other decisions
// stand.
func TestSampler_Decides(t *testing.T) {
	t.Parallel()
	ours := []attribute.KeyValue{attribute.Int("n", 1), tracing.AttrCache.String("users")}
	for name, tt := range map[string]struct {
		next  sdktrace.Sampler
		attrs []attribute.KeyValue
		want  sdktrace.SamplingDecision
	}{
		"dropped, of a cache":    {sdktrace.NeverSample(), ours, sdktrace.RecordOnly},
		"dropped, of another":    {sdktrace.NeverSample(), ours[:1], sdktrace.Drop},
		"sampled, of a cache":    {sdktrace.AlwaysSample(), ours, sdktrace.RecordAndSample},
		"sampled, of another":    {sdktrace.AlwaysSample(), nil, sdktrace.RecordAndSample},
		"by default, no parent":  {nil, ours, sdktrace.RecordAndSample},
		"wrapped twice, dropped": {keepinconsistent.Sampler(sdktrace.NeverSample()), ours, sdktrace.RecordOnly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := keepinconsistent.Sampler(tt.next).ShouldSample(sdktrace.SamplingParameters{ParentContext: t.Context(), Attributes: tt.attrs})
			assert.Equal(t, tt.want, got.Decision)
		})
	}
	assert.Equal(t, "KeepInconsistent{AlwaysOffSampler}", keepinconsistent.Sampler(sdktrace.NeverSample()).Description())
}

// Spans of other libraries in the same trace are neither recorded nor exported, and
// the context that leaves the process says that the trace is not sampled.
func TestSampler_LeavesOthersAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, never(), nil, tracing.TierSpansAll)
	other := f.provider.Tracer("other")
	ctx, parent := other.Start(t.Context(), "PUT /users/{id}")
	assert.False(t, parent.IsRecording())

	var inside trace.SpanContext
	f.l2.Next(tier.Set, func(ctx context.Context, _ func(context.Context) error) error {
		_, span := other.Start(ctx, "SET")
		defer span.End()
		assert.False(t, span.IsRecording())
		inside = trace.SpanContextFromContext(ctx)
		return errRefused
	})
	require.Error(t, f.cache.Set(ctx, "k", "v", 0))
	parent.End()
	assert.False(t, inside.IsSampled())
	assert.Equal(t, parent.SpanContext().TraceID(), inside.TraceID())
	assert.Equal(t, []string{"set users", "set users l1", "set users l2"}, f.names())
	for _, s := range f.exported.GetSpans() {
		assert.Equal(t, parent.SpanContext().TraceID(), s.SpanContext.TraceID(), "the log record leads to it")
	}
}

// A trace that is sampled goes through as it is, once.
func TestProcessor_PassesWhatIsSampled(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil, tracing.TierSpansAll)
	ctx, parent := f.provider.Tracer("other").Start(t.Context(), "PUT /users/{id}")
	require.NoError(t, f.cache.Set(ctx, "k", "v", 0))
	f.l2.Always(tier.Set, backendtest.FailBefore(errRefused))
	require.Error(t, f.cache.Set(ctx, "k", "v", 0))
	parent.End()
	assert.Equal(t, []string{
		"PUT /users/{id}", "set users", "set users", "set users l1", "set users l1", "set users l2", "set users l2",
	}, f.names())
	assert.Zero(t, f.processor.Stats())
}

// What another sampler records for other purposes is passed on, not sampled.
func TestProcessor_PassesRecordOnlySpansOfOthers(t *testing.T) {
	t.Parallel()
	seen := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(recordOnly{}), sdktrace.WithSpanProcessor(keepinconsistent.NewProcessor(seen)))
	_, span := tp.Tracer("other").Start(t.Context(), "work")
	span.End()
	require.NoError(t, tp.ForceFlush(t.Context()))
	require.NoError(t, tp.Shutdown(t.Context()))
	assert.Len(t, seen.Started(), 1)
	require.Len(t, seen.Ended(), 1)
	assert.False(t, seen.Ended()[0].SpanContext().IsSampled())
}

type recordOnly struct{}

func (recordOnly) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return sdktrace.SamplingResult{Decision: sdktrace.RecordOnly}
}
func (recordOnly) Description() string { return "recordOnly" }
