package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// recorded is an instance whose telemetry is kept.
type recorded struct {
	*instance
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
	lines  *bytes.Buffer
}

func newRecorded(t *testing.T, s *store, opts ...tiercache.Option) *recorded {
	t.Helper()
	r := &recorded{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader(), lines: &bytes.Buffer{}}
	r.instance = newInstance(t, s, append([]tiercache.Option{tiercache.WithTelemetry(
		tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))),
		tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))),
		tracing.WithSlog(slog.New(slog.NewJSONHandler(r.lines, nil))), tracing.Disabled(),
	)}, opts...)...)
	return r
}

// span returns the only span of a name.
func (r *recorded) span(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	var found []sdktrace.ReadOnlySpan
	for _, s := range r.spans.Ended() {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	require.Len(t, found, 1, name)
	return found[0]
}

// sums returns the series of a counter by the value of an attribute.
func (r *recorded) sums(t *testing.T, metric string, by attribute.Key) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, r.reader.Collect(t.Context(), &data))
	sums := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if points, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == metric {
				for _, p := range points.DataPoints {
					if v, _ := p.Attributes.Value(by); p.Value != 0 {
						sums[v.AsString()] = p.Value
					}
				}
			}
		}
	}
	return sums
}

// events returns the events of coherence that were logged, in short.
func (r *recorded) events(t *testing.T) (events []string) {
	t.Helper()
	synctest.Wait()
	for line := range strings.Lines(r.lines.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields))
		text := fmt.Sprintf("%s %s %s", fields["level"], fields["event"], fields[string(tracing.AttrCoherenceCause)])
		if d, ok := fields[string(tracing.AttrCoherenceDuration)]; ok {
			text += fmt.Sprintf(" %vs", d)
		}
		events = append(events, text)
	}
	return events
}

func recordedTwo(t *testing.T, test func(t *testing.T, s *store, here, there *recorded), opts ...tiercache.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := backendtest.NewStore[string]()
		here, there := newRecorded(t, s, opts...), newRecorded(t, s)
		defer there.close(t)
		defer here.close(t)
		test(t, s, here, there)
	})
}

// A write leads to the spans of those who drop a copy because of it, and of those who
// refill from it.
func TestCoherence_Spans(t *testing.T) {
	t.Parallel()
	recordedTwo(t, func(t *testing.T, _ *store, here, there *recorded) {
		here.set(t, "old")
		there.set(t, "new")
		write := there.span(t, "set users").SpanContext()
		require.True(t, here.client.Sync())

		process := here.span(t, "process users")
		assert.Equal(t, trace.SpanKindConsumer, process.SpanKind())
		assert.False(t, process.Parent().IsValid(), "it is a root")
		require.Len(t, process.Links(), 1)
		assert.Equal(t, write.TraceID(), process.Links()[0].SpanContext.TraceID())
		assert.Equal(t, write.SpanID(), process.Links()[0].SpanContext.SpanID())
		assert.ElementsMatch(t, []attribute.KeyValue{
			tracing.AttrCache.String("users"), tracing.AttrOperation.String("process"),
			tracing.AttrInvalidation.String("dropped"), tracing.AttrDropped.Int(1),
		}, process.Attributes())

		assert.Equal(t, "new (l2)", here.read(t))
		refill := here.span(t, "refill users l1")
		require.Len(t, refill.Links(), 1)
		assert.Equal(t, write.SpanID(), refill.Links()[0].SpanContext.SpanID())

		require.True(t, there.client.Sync())
		for _, s := range there.spans.Ended() {
			assert.NotEqual(t, "process users", s.Name(), "it has dropped nothing")
		}
	})
}

// By an option the span of a dropped copy is a child of the write's: one for each write,
// and for a batch of many keys one.
func TestCoherence_ProcessChildren(t *testing.T) {
	t.Parallel()
	recordedTwo(t, func(t *testing.T, s *store, here, there *recorded) {
		quiet := newInstance(t, s) // its writes are not sampled
		defer quiet.close(t)
		keys := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
		require.NoError(t, here.SetMany(t.Context(), maps.All(keys), 0))
		require.True(t, here.client.Sync())
		there.set(t, "not in here")
		require.NoError(t, there.Set(t.Context(), "a", "v", 0))
		require.NoError(t, there.SetMany(t.Context(), maps.All(map[string]string{"b": "v", "c": "v"}), 0))
		require.NoError(t, quiet.Set(t.Context(), "d", "v", 0))
		writes := map[trace.SpanID]string{}
		for _, s := range there.spans.Ended() {
			writes[s.SpanContext().SpanID()] = s.Name()
		}
		here.client.Deliver(-1)

		var got []string
		for _, s := range here.spans.Ended() {
			if s.Name() != "process users" {
				continue
			}
			assert.Empty(t, s.Links())
			assert.Equal(t, trace.SpanKindConsumer, s.SpanKind())
			attrs := attribute.NewSet(s.Attributes()...)
			dropped, _ := attrs.Value(tracing.AttrDropped)
			got = append(got, fmt.Sprintf("%d by %q %v", dropped.AsInt64(), writes[s.Parent().SpanID()], s.Parent().IsRemote()))
		}
		assert.Equal(t, []string{`1 by "set users" true`, `2 by "set_many users" true`, `1 by "" false`}, got)
	}, tiercache.WithTelemetry(tracing.WithProcessSpans(tracing.ProcessChildren)))
}

// The links of a batch are bounded, and so are the spans of a second; the metrics are
// exact.
func TestCoherence_Bounds(t *testing.T) {
	t.Parallel()
	recordedTwo(t, func(t *testing.T, _ *store, here, there *recorded) {
		const keys = 200
		write := func(i *recorded) {
			for n := range keys {
				require.NoError(t, i.Set(t.Context(), fmt.Sprint(n), "v", 0))
			}
		}
		write(here)
		require.True(t, here.client.Sync())
		write(there)
		here.client.Deliver(-1)
		process := here.span(t, "process users")
		assert.Len(t, process.Links(), 128)
		assert.Contains(t, process.Attributes(), tracing.AttrDropped.Int(keys))

		write(here)
		require.True(t, here.client.Sync())
		write(there)
		for n := 1; n > 0; {
			n = here.client.Deliver(1) // one batch each
		}
		spans := slices.Collect(func(yield func(string) bool) {
			for _, s := range here.spans.Ended() {
				if s.Name() == "process users" && !yield(s.Name()) {
					return
				}
			}
		})
		assert.Len(t, spans, 20)
		assert.Equal(t, map[string]int64{"dropped": 2 * keys, "own": 2 * keys},
			here.sums(t, tracing.MetricInvalidations, tracing.AttrInvalidation))
	})
}

// One event when trust is lost and one when it is back, by whatever causes; each gap is
// counted.
func TestCoherence_Events(t *testing.T) {
	t.Parallel()
	recordedTwo(t, func(t *testing.T, s *store, here, there *recorded) {
		state := func() map[string]int64 {
			return here.sums(t, tracing.MetricCoherenceStatus, tracing.AttrCoherenceState)
		}
		assert.Equal(t, map[string]int64{"trusted": 1}, state())
		here.client.Disconnect()
		time.Sleep(3 * time.Second)
		assert.Equal(t, map[string]int64{"lost": 1}, state())
		there.set(t, "v")
		s.Trim(0)
		here.client.Reconnect()
		here.client.Deliver(-1)
		s.Failover()
		time.Sleep(time.Second)
		require.True(t, here.client.Sync())
		assert.Equal(t, map[string]int64{"trusted": 1}, state())
		assert.Equal(t, []string{
			"WARN tiercache.coherence.lost overdue",
			"INFO tiercache.coherence.restored server_changed 3s",
		}, here.events(t))
		assert.Equal(t, map[string]int64{"trimmed": 1, "server_changed": 1}, here.sums(t, tracing.MetricCoherenceGaps, tracing.AttrCoherenceCause))
		assert.NotContains(t, here.lines.String(), `"k"`)
	})
}

// A value that may have been replaced is flagged on the span and in the metrics too.
func TestCoherence_StaleIsFlagged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := backendtest.NewStore[string]()
		here := newRecorded(t, s, tiercache.WithCoherence(bound, tiercache.ServeStale))
		defer here.close(t)
		here.set(t, "v")
		here.client.Lose(backends.LossDisconnected)
		calls := here.l2.Calls(tier.Get)
		assert.Equal(t, "v (stale)", here.read(t))
		value, err := here.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "", errDown })
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		assert.Equal(t, calls, here.l2.Calls(tier.Get), "L2 was not asked")
		read := here.spans.Ended()[len(here.spans.Ended())-1]
		assert.Equal(t, "get users", read.Name())
		assert.Contains(t, read.Attributes(), tracing.AttrReadResult.String("stale"))
		assert.Contains(t, read.Attributes(), tracing.AttrStaleReason.String("coherence"))
		assert.EqualValues(t, 2, here.sums(t, tracing.MetricReads, tracing.AttrReadResult)["stale"])
	})
}
