package tracing_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// words is a set of strings.
type words map[string]bool

func (w words) sorted() []string {
	out := make([]string, 0, len(w))
	for word := range w {
		out = append(out, word)
	}
	slices.Sort(out)
	return out
}

func sorted(list []string) []string {
	set := words{}
	for _, word := range list {
		set[word] = true
	}
	return set.sorted()
}

type (
	// observed is everything that caches emitted in all scenarios.
	observed struct {
		spans   map[string]words // kinds, by name
		attrs   map[string]*seenAttr
		metrics map[string]*seenMetric
	}
	seenAttr struct {
		on, types, values words
	}
	seenMetric struct {
		instrument, unit string
		attrs            words
	}
)

// observe runs all scenarios, over stores in the process and remote ones, with spans of
// tiers and without.
func observe(t *testing.T) (o observed) {
	t.Helper()
	o = observed{map[string]words{}, map[string]*seenAttr{}, map[string]*seenMetric{}}
	synctest.Test(t, func(t *testing.T) {
		spans, reader, summaries := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader(), &summaryLog{o}
		telemetry := []tracing.Option{
			tracing.Disabled(), tracing.WithKey(func(string) string { return "shown" }),
			tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))),
			tracing.WithLogLimit(1), tracing.WithLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(summaries))),
			tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))),
		}
		var caches []fixture
		for _, desc := range []backends.Description{
			{InProcess: true},
			{System: "redis", ServerAddress: "cache.example", ServerPort: 6379, GetOperation: "GET", SetOperation: "SET"},
		} {
			for _, budget := range []tracing.TierSpans{tracing.TierSpansAll, tracing.TierSpansFailures} {
				for _, s := range scenarios() {
					f := newFixture(t, desc, desc, append(s.opts, tiercache.WithTelemetry(
						append(telemetry, tracing.WithTierSpans(budget))...))...)
					s.run(t, f)
					caches = append(caches, f)
				}
			}
		}
		var coherent []interface {
			Close(ctx context.Context) error
		}
		for _, budget := range []tracing.TierSpans{tracing.TierSpansAll, tracing.TierSpansFailures} {
			coherent = append(coherent, coherenceScenario(t, append(telemetry, tracing.WithTierSpans(budget))...)...)
			coherent = append(coherent, repairScenario(t, append(telemetry, tracing.WithTierSpans(budget))...))
		}
		<-time.After(time.Hour) // detached writes have ended
		var data metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &data))
		for _, f := range caches {
			require.NoError(t, f.Close(t.Context()))
		}
		for _, c := range coherent {
			require.NoError(t, c.Close(t.Context()))
		}
		o.addSpans(spans.Ended())
		o.addMetrics(t, data)
	})
	return o
}

// summaryLog notes the attributes of summaries.
type summaryLog struct{ observed }

func (l *summaryLog) OnEmit(_ context.Context, record *sdklog.Record) error {
	class := map[string]string{
		tracing.EventInconsistencySummary: "summary",
		tracing.EventResolution:           "resolution",
		tracing.EventCoherenceLost:        "coherence", tracing.EventCoherenceRestored: "coherence",
	}[record.EventName()]
	if class != "" {
		record.WalkAttributes(func(a attribute.KeyValue) bool {
			l.addAttrs(class, []attribute.KeyValue{a})
			return true
		})
	}
	return nil
}

func (*summaryLog) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*summaryLog) Shutdown(context.Context) error                         { return nil }
func (*summaryLog) ForceFlush(context.Context) error                       { return nil }

func newFixture(t *testing.T, desc1, desc2 backends.Description, opts ...tiercache.Option) (f fixture) {
	t.Helper()
	f.l1 = slow(backendtest.NewMap[string](), nil).Described(desc1)
	l2 := backendtest.NewStore[string]().Client()
	desc2.Abilities = backends.DescriptionOf(l2).Abilities
	f.l2 = slow(l2, nil).Described(desc2)
	var err error
	f.Cache, err = tiercache.New("users", f.l1, f.l2, opts...)
	require.NoError(t, err)
	return f
}

// addSpans notes names such as "set {cache} {tier}". A name that only ever ends in one
// tier keeps that.
func (o observed) addSpans(ended []sdktrace.ReadOnlySpan) {
	tiers := map[string]words{}
	for _, s := range ended {
		op, id, _ := strings.Cut(s.Name(), " users")
		if tiers[op] == nil {
			tiers[op] = words{}
		}
		if id != "" {
			tiers[op][id] = true
		}
	}
	for _, s := range ended {
		op, id, _ := strings.Cut(s.Name(), " users")
		name := op + " {cache}" + id
		if id != "" && len(tiers[op]) == 2 {
			name = op + " {cache} {tier}"
		}
		if o.spans[name] == nil {
			o.spans[name] = words{}
		}
		o.spans[name][s.SpanKind().String()] = true
		o.addAttrs(spanClass(op, id), s.Attributes())
		for _, e := range s.Events() {
			o.addAttrs("event", e.Attributes)
		}
	}
}

// spanClass is the name that the table of attributes has for a span.
func spanClass(op, id string) string {
	switch {
	case id == "" && strings.HasSuffix(op, "_many"):
		return "batch"
	case strings.HasSuffix(op, "_many"):
		return "batch call"
	case id == "" && op == "get":
		return "read"
	case op == "process" || op == "repair":
		return op
	case id == "" && (op == "load" || op == "update"):
		return op
	case id == "":
		return "write"
	case op == "get":
		return "tier read"
	default:
		return "tier write"
	}
}

func (o observed) addAttrs(class string, attrs []attribute.KeyValue) {
	for _, a := range attrs {
		key := string(a.Key)
		if o.attrs[key] == nil {
			o.attrs[key] = &seenAttr{words{}, words{}, words{}}
		}
		o.attrs[key].on[class] = true
		o.attrs[key].types[types[a.Value.Type()]] = true
		o.attrs[key].values[a.Value.String()] = true
	}
}

func (o observed) addMetrics(t *testing.T, data metricdata.ResourceMetrics) {
	t.Helper()
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			seen := &seenMetric{unit: m.Unit, attrs: words{}}
			var sets []attribute.Set
			switch points := m.Data.(type) {
			case metricdata.Histogram[float64]:
				seen.instrument = "histogram"
				for _, p := range points.DataPoints {
					sets = append(sets, p.Attributes)
				}
			case metricdata.Sum[int64]:
				seen.instrument = map[bool]string{true: "counter", false: "up-down counter"}[points.IsMonotonic]
				for _, p := range points.DataPoints {
					sets = append(sets, p.Attributes)
				}
			case metricdata.Gauge[float64]:
				seen.instrument = "gauge"
				for _, p := range points.DataPoints {
					sets = append(sets, p.Attributes)
				}
			default:
				assert.Failf(t, "an unknown instrument", "%s: %T", m.Name, m.Data)
			}
			for _, set := range sets {
				for _, a := range set.ToSlice() {
					seen.attrs[string(a.Key)] = true
					if on := o.attrs[string(a.Key)]; on == nil || on.on["metric"] { // no span has it
						o.addAttrs("metric", []attribute.KeyValue{a})
					}
				}
			}
			o.metrics[m.Name] = seen
		}
	}
}
