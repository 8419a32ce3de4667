package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

const secretKey = "user:4711:token"

// refusedByL2 returns a cache whose next write L2 refuses, and the logs of slog.
func refusedByL2(t *testing.T, rec *tiercachetest.Recorder, opts ...tracing.Option) (*tiercachetest.Fixture[string], *bytes.Buffer) {
	t.Helper()
	text := new(bytes.Buffer)
	f := tiercachetest.New[string](t, rec.Options(append(opts, tracing.WithSlog(slog.New(slog.NewTextHandler(text, nil))))...)...)
	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
	return f, text
}

func TestWithKey_OnSpansAndEventsOnly(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	f, text := refusedByL2(t, rec, tracing.WithKey(func(key string) string { return "<" + key[:4] + ">" }))
	require.Error(t, f.Set(t.Context(), secretKey, "correct horse battery staple", 0))
	for _, s := range rec.Spans() {
		assert.Equal(t, s.Name() == "set users", strings.Contains(tiercachetest.Attributes(s.Attributes()), "tiercache.key=<user>"), s.Name())
	}
	assert.Contains(t, tiercachetest.RecordAttributes(rec.Records()[0]), "tiercache.key=<user>")
	assert.Contains(t, text.String(), "tiercache.key=<user>")
	lines, err := rec.Metrics(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, lines)
	for _, line := range lines {
		assert.NotContains(t, line, "tiercache.key")
	}
	dump, err := rec.Dump(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, dump+text.String(), secretKey)
}

func TestWithSignals_ChoosesWhereEventsGo(t *testing.T) {
	t.Parallel()
	for _, signals := range []tracing.Signals{0, tracing.SpanEvents, tracing.LogRecords, tracing.SpanEvents | tracing.LogRecords} {
		rec := tiercachetest.NewRecorder()
		f, text := refusedByL2(t, rec, tracing.WithSignals(signals))
		require.Error(t, f.Set(t.Context(), "k", "v", 0))
		assert.Equal(t, signals&tracing.SpanEvents != 0, strings.Contains(rec.Tree(), "! tiercache.inconsistency"))
		assert.Equal(t, signals&tracing.LogRecords != 0, len(rec.Records()) == 1)
		assert.NotEmpty(t, text.String())
		assert.Len(t, rec.Inconsistencies(), 1)
	}
}

// A trace that is not sampled has no children, but the event is logged and
// counted, within the trace.
func TestUnsampledTrace_IsStillLoggedAndCounted(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder(sdktrace.WithSampler(sdktrace.NeverSample()))
	f := tiercachetest.New[string](t, rec.Options()...)
	var got trace.TraceID
	f.L2.Next(tier.Set, func(ctx context.Context, _ func(context.Context) error) error {
		got = trace.SpanContextFromContext(ctx).TraceID()
		return errRefused
	})
	ctx, span := rec.TracerProvider().Tracer("caller").Start(t.Context(), "caller")
	defer span.End()
	require.Error(t, f.Set(ctx, "k", "v", 0))
	assert.Empty(t, rec.Spans())
	require.Len(t, rec.Records(), 1)
	assert.Equal(t, span.SpanContext().TraceID(), rec.Records()[0].TraceID())
	lines, err := rec.Metrics(t.Context())
	require.NoError(t, err)
	assert.Len(t, lines, 4)
	assert.Equal(t, span.SpanContext().TraceID(), got, "what the backend traces is in the trace")
}
