package tiercachetest_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

const (
	secretKey   = "user:4711:token"
	secretValue = "correct horse battery staple"
)

// A recorder has each report of an inconsistency, once.
func TestRecorder_Inconsistency(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[string](t, rec.Options()...)
	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
	require.Error(t, f.Set(t.Context(), secretKey, secretValue, 0))

	require.Len(t, rec.Inconsistencies(), 1)
	assert.Equal(t, secretKey, rec.Inconsistencies()[0].Key)
	assert.Equal(t, tier.Failed, rec.Inconsistencies()[0].L2.Outcome)
	require.Len(t, rec.Records(), 1)
	assert.Equal(t, tracing.EventInconsistency, rec.Records()[0].EventName())
	assert.Contains(t, tiercachetest.RecordAttributes(rec.Records()[0]), "tiercache.inconsistency.resolved=false tiercache.inconsistency.stale_tier=l2")
	assert.Len(t, rec.Spans(), 3)
	assert.Contains(t, rec.Tree(), "! tiercache.inconsistency ")
	lines, err := rec.Metrics(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{
		"tiercache.inconsistencies {inconsistency} value=1 tiercache.cache.name=users tiercache.inconsistency.resolved=false tiercache.inconsistency.stale_tier=l2 tiercache.operation.name=set",
		"tiercache.operation.duration s count=1 error.type=_OTHER tiercache.cache.name=users tiercache.operation.name=set tiercache.policy.name=sequential",
		"tiercache.tier.operation.duration s count=1 error.type=_OTHER tiercache.cache.name=users tiercache.operation.name=set tiercache.outcome=failed tiercache.tier.name=l2",
		"tiercache.tier.operation.duration s count=1 tiercache.cache.name=users tiercache.operation.name=set tiercache.outcome=applied tiercache.tier.name=l1",
	}, lines)

	dump, err := rec.Dump(t.Context())
	require.NoError(t, err)
	for _, want := range []string{rec.Tree(), lines[0], "ERROR tiercache.inconsistency ", tiercachetest.RecordAttributes(rec.Records()[0])} {
		assert.Contains(t, dump, want)
	}
	assert.NotContains(t, dump, secretKey)
	assert.NotContains(t, dump, secretValue)

	rec.Reset()
	assert.Empty(t, rec.Inconsistencies())
	assert.Empty(t, rec.Records())
	assert.Empty(t, rec.Spans())
	lines, err = rec.Metrics(t.Context())
	require.NoError(t, err)
	assert.Len(t, lines, 4, "metrics go on")
}

// Metrics that the test records itself are not those of a cache.
func TestRecorder_MetricsOfTheCacheOnly(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	counter, err := rec.MeterProvider().Meter("test").Int64Counter("requests")
	require.NoError(t, err)
	counter.Add(t.Context(), 1)
	lines, err := rec.Metrics(t.Context())
	require.NoError(t, err)
	assert.Empty(t, lines)
}

// A dump has whole stack traces: a secret may be in one.
func TestRecorder_DumpHasStacks(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[string](t, rec.Options()...)
	f.L2.Next(tier.Set, backendtest.Panic("!"))
	require.Error(t, f.Set(t.Context(), "k", "v", 0))
	dump, err := rec.Dump(t.Context())
	require.NoError(t, err)
	assert.Contains(t, dump, "fault.go:")
	assert.NotContains(t, rec.Tree(), "fault.go:")
}

// Spans of a caller are recorded too, and options come after the recorder's own.
func TestRecorder_Options(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts  []sdktrace.TracerProviderOption
		spans int
	}{
		"sampled":     {nil, 4},
		"not sampled": {[]sdktrace.TracerProviderOption{sdktrace.WithSampler(sdktrace.NeverSample())}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := tiercachetest.NewRecorder(test.opts...)
			var text bytes.Buffer
			f := tiercachetest.New[string](t, rec.Options(
				tracing.WithLoggerProvider(nil), tracing.WithSlog(slog.New(slog.NewTextHandler(&text, nil))))...)
			f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
			ctx, span := rec.TracerProvider().Tracer("test").Start(t.Context(), "caller")
			require.Error(t, f.Set(ctx, "k", "v", 0))
			span.End()
			assert.Len(t, rec.Spans(), test.spans)
			assert.Empty(t, rec.Records(), "the option replaced the provider of the recorder")
			assert.NotEmpty(t, text.String())
			assert.Len(t, rec.Inconsistencies(), 1)
		})
	}
}

func TestRecorder_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[int](t, rec.Options()...)
	f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			assert.Error(t, f.Set(t.Context(), string(rune('a'+i)), i, 0))
			_, err := rec.Dump(t.Context())
			assert.NoError(t, err)
		})
	}
	writers.Wait()
	assert.Len(t, rec.Inconsistencies(), 8)
	assert.Len(t, rec.Records(), 8)
	assert.Len(t, rec.Spans(), 24)
}
