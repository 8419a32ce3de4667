package tiercachetest

import (
	"context"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
)

// Recorder records the telemetry of caches: spans, metrics, log records, and the calls
// of the inconsistency hook. Several caches may share one. It is safe for concurrent
// use.
type Recorder struct {
	spans   *tracetest.SpanRecorder
	tracers *sdktrace.TracerProvider
	reader  *sdkmetric.ManualReader
	meters  *sdkmetric.MeterProvider
	loggers *sdklog.LoggerProvider

	mu              sync.Mutex
	records         []sdklog.Record
	inconsistencies []tiercache.Inconsistency
}

// NewRecorder returns an empty Recorder. The options go to its provider of spans,
// for instance a sampler; by default every span is sampled.
func NewRecorder(opts ...sdktrace.TracerProviderOption) *Recorder {
	r := &Recorder{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	r.tracers = sdktrace.NewTracerProvider(append(opts, sdktrace.WithSpanProcessor(r.spans))...)
	r.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	r.loggers = sdklog.NewLoggerProvider(sdklog.WithProcessor(logProcessor{r}))
	return r
}

// Options returns options that make a cache report to r, and to no global
// provider. The telemetry options more come after those of r and override them.
func (r *Recorder) Options(more ...tracing.Option) []tiercache.Option {
	return []tiercache.Option{
		tiercache.WithTelemetry(append([]tracing.Option{
			tracing.WithTracerProvider(r.tracers),
			tracing.WithMeterProvider(r.meters),
			tracing.WithLoggerProvider(r.loggers),
		}, more...)...),
		tiercache.WithInconsistencyHook(r.Hook),
	}
}

// TracerProvider returns the provider whose spans r records, for spans that the
// test starts itself, as a caller of the cache does.
func (r *Recorder) TracerProvider() trace.TracerProvider { return r.tracers }

// MeterProvider returns the provider of the metrics that r records.
func (r *Recorder) MeterProvider() metric.MeterProvider { return r.meters }

// Hook records an inconsistency. [Recorder.Options] contain it.
func (r *Recorder) Hook(_ context.Context, i tiercache.Inconsistency) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inconsistencies = append(r.inconsistencies, i)
}

// Inconsistencies returns the arguments of the hook, in the order of its calls.
func (r *Recorder) Inconsistencies() []tiercache.Inconsistency {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.inconsistencies)
}

// Spans returns the spans that have ended, in the order of their ends.
func (r *Recorder) Spans() []sdktrace.ReadOnlySpan { return r.spans.Ended() }

// Tree prints the spans that have ended; see [Tree].
func (r *Recorder) Tree(opts ...TreeOption) string { return Tree(r.Spans(), opts...) }

// Records returns the log records.
func (r *Recorder) Records() []sdklog.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

// Dump prints everything that was recorded for telemetry: the tree of spans, the
// metrics and the log records. A test can search it for a secret. Calls of the
// hook are left out, because those have the key on purpose.
func (r *Recorder) Dump(ctx context.Context) (string, error) {
	metrics, err := r.Metrics(ctx)
	stacks := treeOptionFunc(func(p printer) printer { p.stacks = true; return p })
	lines := append([]string{r.Tree(stacks)}, metrics...)
	for _, record := range r.Records() {
		lines = append(lines, strings.Join([]string{
			record.Severity().String(), record.EventName(), record.Body().String(), RecordError(record), RecordAttributes(record),
		}, " "))
	}
	return strings.Join(lines, "\n"), err
}

// Reset forgets spans, log records and inconsistencies. Metrics go on.
func (r *Recorder) Reset() {
	r.spans.Reset()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records, r.inconsistencies = nil, nil
}

// RecordAttributes prints the attributes of a log record, sorted by name, without those
// of its error; see [RecordError].
func RecordAttributes(record sdklog.Record) string {
	var attrs []attribute.KeyValue
	record.WalkAttributes(func(kv attribute.KeyValue) bool {
		if !strings.HasPrefix(string(kv.Key), "exception.") {
			attrs = append(attrs, kv)
		}
		return true
	})
	return Attributes(attrs)
}

// RecordError returns the text of a log record's error, which the SDK makes an
// attribute, or "".
func RecordError(record sdklog.Record) (text string) {
	record.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == semconv.ExceptionMessageKey {
			text = kv.Value.AsString()
		}
		return text == ""
	})
	return text
}

// logProcessor gives log records to its recorder.
type logProcessor struct{ r *Recorder }

var _ sdklog.Processor = logProcessor{}

// OnEmit records a copy of the record.
func (p logProcessor) OnEmit(_ context.Context, record *sdklog.Record) error {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.r.records = append(p.r.records, record.Clone())
	return nil
}

// Enabled returns true: every record is recorded.
func (logProcessor) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// Shutdown does nothing.
func (logProcessor) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing: records are never buffered.
func (logProcessor) ForceFlush(context.Context) error { return nil }
