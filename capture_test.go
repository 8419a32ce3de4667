package tiercache_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
)

// capture is the telemetry of one test, all of it: spans, metrics, log records,
// slog output, and what the hook was told.
type capture struct {
	tp     *sdktrace.TracerProvider
	spans  *tracetest.SpanRecorder
	mp     metric.MeterProvider
	reader *sdkmetric.ManualReader
	logs   *logRecorder
	slog   *bytes.Buffer

	mu    sync.Mutex
	hooks []tiercache.Inconsistency
}

func newCapture() *capture {
	c := &capture{
		spans:  tracetest.NewSpanRecorder(),
		reader: sdkmetric.NewManualReader(),
		logs:   &logRecorder{},
		slog:   &bytes.Buffer{},
	}
	c.tp = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(c.spans))
	c.mp = sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader))
	return c
}

// options makes a cache tell everything to the capture, and nothing to any
// global provider.
func (c *capture) options(more ...tracing.Option) []tiercache.Option {
	return []tiercache.Option{
		tiercache.WithTelemetry(append([]tracing.Option{
			tracing.WithTracerProvider(c.tp),
			tracing.WithMeterProvider(c.mp),
			tracing.WithLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(c.logs))),
			tracing.WithSlog(slog.New(slog.NewTextHandler(c.slog, nil))),
		}, more...)...),
		tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.hooks = append(c.hooks, i)
		}),
	}
}

// caller starts a span as a request handler would.
func (c *capture) caller(ctx context.Context) (context.Context, trace.Span) {
	return c.tp.Tracer("caller").Start(ctx, "caller") //nolint:spancheck // the test ends it
}

func (c *capture) hooked() []tiercache.Inconsistency {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.hooks)
}

// tree prints the ended spans: children below their parents, in the order in
// which they were started, with everything that a span says except for times and
// ids.
func (c *capture) tree() string { return c.render(spanLine) }

// treeNames are the lines of the tree with names and kinds alone.
func treeNames(c *capture) []string {
	return strings.Split(strings.TrimSpace(c.render(func(s sdktrace.ReadOnlySpan) string {
		return fmt.Sprintf("%s (%s)", s.Name(), s.SpanKind())
	})), "\n")
}

func (c *capture) render(line func(sdktrace.ReadOnlySpan) string) string {
	ended := c.spans.Ended()
	slices.SortStableFunc(ended, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	var b strings.Builder
	var children func(parent trace.SpanID, indent string)
	children = func(parent trace.SpanID, indent string) {
		for _, s := range ended {
			if s.Parent().SpanID() == parent {
				b.WriteString(indent + line(s) + "\n")
				for _, e := range s.Events() {
					b.WriteString(indent + "  ! " + e.Name + " " + attrs(e.Attributes) + "\n")
				}
				children(s.SpanContext().SpanID(), indent+"  ")
			}
		}
	}
	children(trace.SpanID{}, "")
	return b.String()
}

func spanLine(s sdktrace.ReadOnlySpan) string {
	line := fmt.Sprintf("%s (%s)", s.Name(), s.SpanKind())
	if a := attrs(s.Attributes()); a != "" {
		line += " " + a
	}
	if s.Status().Code.String() != "Unset" {
		line += fmt.Sprintf(" %s: %q", s.Status().Code, s.Status().Description)
	}
	if n := len(s.Links()); n > 0 {
		line += fmt.Sprintf(" links=%d", n)
	}
	return line
}

// attrs prints attributes sorted by name. A duplicate shows as one.
func attrs(kvs []attribute.KeyValue) string {
	var out []string
	for _, kv := range kvs {
		out = append(out, string(kv.Key)+"="+kv.Value.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// metrics prints all data points, a line each: counts of histograms, values of
// sums.
func (c *capture) metrics(t *testing.T) []string {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, c.reader.Collect(t.Context(), &data))
	var lines []string
	for _, scope := range data.ScopeMetrics {
		require.Equal(t, tracing.ScopeName, scope.Scope.Name)
		require.Equal(t, tracing.Version, scope.Scope.Version)
		require.Equal(t, tracing.SchemaURL, scope.Scope.SchemaURL)
		for _, m := range scope.Metrics {
			head := m.Name + " " + m.Unit + " "
			switch points := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					lines = append(lines, fmt.Sprintf("%scount=%d %s", head, p.Count, attrs(p.Attributes.ToSlice())))
				}
			case metricdata.Sum[int64]:
				for _, p := range points.DataPoints {
					if p.Value == 0 {
						continue // that they begin at 0 has a test of its own
					}
					lines = append(lines, fmt.Sprintf("%svalue=%d %s", head, p.Value, attrs(p.Attributes.ToSlice())))
				}
			default:
				t.Fatalf("unexpected data of %s: %T", m.Name, m.Data)
			}
		}
	}
	slices.Sort(lines)
	return lines
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

// logCause returns the text of the record's error, which the SDK makes an attribute.
func logCause(r sdklog.Record) (text string) {
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == semconv.ExceptionMessageKey {
			text = kv.Value.AsString()
		}
		return true
	})
	return text
}

func logAttrs(r sdklog.Record) string {
	var kvs []attribute.KeyValue
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		if !strings.HasPrefix(string(kv.Key), "exception.") { // see logCause
			kvs = append(kvs, kv)
		}
		return true
	})
	return attrs(kvs)
}

// dump is everything that was captured, for searches.
func (c *capture) dump(t *testing.T) string {
	t.Helper()
	c.logs.mu.Lock()
	defer c.logs.mu.Unlock()
	all := c.tree() + strings.Join(c.metrics(t), "\n") + c.slog.String()
	for _, r := range c.logs.records {
		all += fmt.Sprintln(r.EventName(), r.Body(), logCause(r), logAttrs(r))
	}
	return all
}
