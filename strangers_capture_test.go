package tiercache_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// capture records what is reported through providers that misbehave. Those that do not
// are in tiercachetest.Recorder.
type capture struct {
	tp     *sdktrace.TracerProvider
	spans  *tracetest.SpanRecorder
	mp     *sdkmetric.MeterProvider
	reader *sdkmetric.ManualReader
	logs   *logRecorder
	slog   *bytes.Buffer

	mu    sync.Mutex
	hooks []tiercache.Inconsistency
}

func newCapture() *capture {
	return &capture{spans: tracetest.NewSpanRecorder(), logs: &logRecorder{}, slog: &bytes.Buffer{}}
}

func (c *capture) hooked() []tiercache.Inconsistency {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.hooks)
}

// counted returns the number of inconsistencies in the metric.
func (c *capture) counted(t *testing.T) (sum int64) {
	t.Helper()
	for _, m := range c.metrics(t) {
		if m.Name != tracing.MetricInconsistencies {
			continue
		}
		for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
			sum += point.Value
		}
	}
	return sum
}

func (c *capture) metrics(t *testing.T) (all []metricdata.Metrics) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, c.reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		all = append(all, scope.Metrics...)
	}
	return all
}

// dump is everything that was captured, for searches.
func (c *capture) dump(t *testing.T) string {
	t.Helper()
	all := tiercachetest.Tree(c.spans.Ended()) + fmt.Sprintf("%+v", c.metrics(t)) + c.slog.String()
	c.logs.mu.Lock()
	defer c.logs.mu.Unlock()
	for _, r := range c.logs.records {
		all += fmt.Sprintln(r.EventName(), r.Body(), tiercachetest.RecordError(r), tiercachetest.RecordAttributes(r))
	}
	return all
}

// logRecorder is a log processor that keeps records.
type logRecorder struct {
	mu      sync.Mutex
	records []sdklog.Record
}

func (r *logRecorder) OnEmit(_ context.Context, record *sdklog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record.Clone())
	return nil
}

func (*logRecorder) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*logRecorder) Shutdown(context.Context) error                         { return nil }
func (*logRecorder) ForceFlush(context.Context) error                       { return nil }
