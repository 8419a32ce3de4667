package redis_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// What is measured by hand is the same work: the same spans, the same records,
// and in Redis the same value with the same TTL.
func TestByHand(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	reports := make(map[bool][]string)
	for _, hand := range []bool{false, true} {
		spans, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
		tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		r := newBenchFixture(t, client, tp, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
		r.fill(t)
		var value []byte
		if hand {
			got, err := r.hand.getTraced(t.Context(), handKey)
			require.NoError(t, err)
			value = got
			require.NoError(t, r.hand.setTraced(t.Context(), handKey, benchValue, benchTTL))
		} else {
			got, ok, err := r.cache.Get(t.Context(), cacheKey)
			require.NoError(t, err)
			require.True(t, ok)
			value = got
			require.NoError(t, r.cache.Set(t.Context(), cacheKey, benchValue, benchTTL))
		}
		assert.Equal(t, benchValue, value)
		for _, key := range []string{cacheKey, handKey} {
			ttl, err := r.hand.client.PTTL(t.Context(), key).Result()
			require.NoError(t, err)
			assert.InDelta(t, benchTTL, ttl, 30e9)
		}
		reports[hand] = append(spanLines(spans), records(t, reader)...)
	}
	assert.Equal(t, reports[false], reports[true])
	assert.Len(t, reports[false], 5+5, "spans and series")
}

func spanLines(spans *tracetest.InMemoryExporter) (lines []string) {
	for _, s := range spans.GetSpans() {
		lines = append(lines, fmt.Sprintf("%s (%s) root=%t %s", s.Name, s.SpanKind, !s.Parent.IsValid(), sorted(s.Attributes)))
	}
	slices.Sort(lines)
	return lines
}

// records are the series of the histograms. The lookups are counted by hand, too,
// but not exported.
func records(t *testing.T, reader *sdkmetric.ManualReader) (lines []string) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok {
				for _, p := range h.DataPoints {
					lines = append(lines, fmt.Sprintf("%s %d %s", m.Name, p.Count, sorted(p.Attributes.ToSlice())))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func sorted(attrs []attribute.KeyValue) (words []string) {
	for _, kv := range attrs {
		words = append(words, string(kv.Key)+"="+kv.Value.String())
	}
	slices.Sort(words)
	return words
}
