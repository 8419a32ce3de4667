package tracing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const telemetryDoc = "telemetry.md"

// The tests of this file compare docs/telemetry.md with the constants and with what
// caches emit: nothing may be missing, and nothing too much.

func TestDocs_Scope(t *testing.T) {
	t.Parallel()
	scope := section(t, readDoc(t, telemetryDoc), "## Scope")
	assert.Subset(t, ticked(scope), []string{tracing.ScopeName, tracing.SchemaURL})
}

func TestDocs_Spans(t *testing.T) {
	t.Parallel()
	documented := map[string][]string{}
	for _, row := range table(t, readDoc(t, telemetryDoc), "## Spans") {
		documented[first(t, row[0])] = sorted(strings.Split(row[1], ", "))
	}
	emitted := map[string][]string{}
	for name, kinds := range observe(t).spans {
		emitted[name] = kinds.sorted()
	}
	assert.Equal(t, emitted, documented)
}

var types = map[attribute.Type]string{
	attribute.STRING: "string", attribute.BOOL: "bool", attribute.INT64: "int", attribute.FLOAT64: "double",
}

func TestDocs_Attributes(t *testing.T) {
	t.Parallel()
	o := observe(t)
	var documented []string
	for _, row := range table(t, readDoc(t, telemetryDoc), "## Attributes") {
		name := first(t, row[0])
		documented = append(documented, name)
		emitted := o.attrs[name]
		if !assert.NotNil(t, emitted, "%s is documented, and nothing has it", name) {
			continue
		}
		assert.Equal(t, emitted.on.sorted(), sorted(strings.Split(row[2], ", ")), "what has %s", name)
		assert.Equal(t, []string{row[1]}, emitted.types.sorted(), "the type of %s", name)
		now, later, _ := strings.Cut(row[3], "reserved:")
		if listed := ticked(now); len(listed) > 0 && row[3][0] == '`' {
			assert.Equal(t, emitted.values.sorted(), sorted(listed), "the values of %s", name)
		}
		for _, reserved := range ticked(later) {
			assert.NotContains(t, emitted.values, reserved, "%s is no longer reserved", reserved)
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(o.attrs)), documented)
	for _, name := range readNames(t).values("Attr") {
		assert.Contains(t, documented, name, "a constant of names.go")
	}
	for _, name := range documented {
		if strings.HasPrefix(name, "tiercache.") {
			assert.Contains(t, readNames(t).values("Attr"), name, "it is no constant")
		}
	}
}

func TestDocs_Metrics(t *testing.T) {
	t.Parallel()
	o := observe(t)
	var documented []string
	for _, row := range table(t, readDoc(t, telemetryDoc), "## Metrics") {
		name := first(t, row[0])
		documented = append(documented, name)
		emitted := o.metrics[name]
		if !assert.NotNil(t, emitted, "%s is documented, and nothing records it", name) {
			continue
		}
		assert.Equal(t, emitted.instrument, row[1], name)
		assert.Equal(t, emitted.unit, first(t, row[2]), name)
		assert.Equal(t, emitted.attrs.sorted(), sorted(ticked(row[3])), name)
		series := "as used"
		if n := begun[name] + begunCoherent[name]; n > 0 {
			series = strconv.Itoa(n)
		}
		assert.Equal(t, series, row[4], name)
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(o.metrics)), documented)
	assert.ElementsMatch(t, readNames(t).values("Metric"), documented)
}

// The comments of names.go say which telemetry has an attribute, and the kind of each
// metric.
func TestDocs_CommentsOfNames(t *testing.T) {
	t.Parallel()
	o := observe(t)
	for name, c := range readNames(t) {
		switch {
		case strings.HasPrefix(name, "Metric"):
			emitted := o.metrics[c.value]
			require.NotNil(t, emitted, "nothing records %s", c.value)
			assert.Equal(t, emitted.instrument+", "+emitted.unit, c.comment, name)
		case strings.HasPrefix(name, "Attr"):
			require.NotNil(t, o.attrs[c.value], "nothing has %s", c.value)
			onMetrics := false
			for _, m := range o.metrics {
				onMetrics = onMetrics || m.attrs[c.value]
			}
			_, mark, _ := strings.Cut(c.comment, "(")
			assert.Equal(t, onMetrics && c.value != tracing.MetricLockWaitDuration, strings.Contains(mark, "metric"), "(metric) of %s", name)
			if !strings.HasPrefix(c.value, "tiercache.inconsistency.") { // those are under a heading of their own
				assert.Equal(t, o.attrs[c.value].on["event"], strings.Contains(mark, "event"), "(event) of %s", name)
			}
		}
	}
}

// recordLog is a log processor that keeps the last record.
type recordLog struct{ last *sdklog.Record }

func (r *recordLog) OnEmit(_ context.Context, record *sdklog.Record) error {
	clone := record.Clone()
	r.last = &clone
	return nil
}

func (*recordLog) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*recordLog) Shutdown(context.Context) error                         { return nil }
func (*recordLog) ForceFlush(context.Context) error                       { return nil }

func TestDocs_Event(t *testing.T) {
	t.Parallel()
	doc := readDoc(t, telemetryDoc)
	events := []string{
		tracing.EventInconsistency, tracing.EventInconsistencySummary, tracing.EventUnstorableValue,
		tracing.EventCoherenceLost, tracing.EventCoherenceRestored, tracing.EventResolution,
	}
	assert.ElementsMatch(t, events, readNames(t).values("Event"))
	assert.Contains(t, section(t, doc, "## Values that cannot be stored"), "`"+tracing.EventUnstorableValue+"`")
	assert.Subset(t, ticked(section(t, doc, "## Coherence")), []string{tracing.EventCoherenceLost, tracing.EventCoherenceRestored})
	assert.Contains(t, ticked(section(t, doc, "## Repairs")), tracing.EventResolution)
	assert.Equal(t, tracing.EventInconsistency, ticked(section(t, doc, "## The inconsistency event"))[0])
	var attrs []string
	for _, row := range table(t, doc, "## Attributes") {
		if slices.Contains(strings.Split(row[2], ", "), "event") {
			attrs = append(attrs, first(t, row[0]))
		}
	}
	columns := map[string][]string{}
	for _, row := range table(t, doc, "## The inconsistency event") {
		columns[row[0]] = row[1:]
	}
	for _, resolved := range []bool{false, true} {
		spans, records, lines := tracetest.NewSpanRecorder(), &recordLog{}, &bytes.Buffer{}
		var opts []tiercache.Option
		if resolved {
			opts = writes(writepolicy.Sequential(writepolicy.InvalidateL1()))
		}
		f := newFixture(t, backends.Description{InProcess: true}, backends.Description{InProcess: true},
			append(opts, tiercache.WithTelemetry(tracing.Disabled(), tracing.WithKey(func(string) string { return "shown" }),
				tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))),
				tracing.WithLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(records))),
				tracing.WithSlog(slog.New(slog.NewJSONHandler(lines, nil)))))...)
		set(nil, refuse)(t, f)

		var onSpan []string
		for _, s := range spans.Ended() {
			for _, e := range s.Events() {
				assert.Equal(t, tracing.EventInconsistency, e.Name)
				for _, a := range e.Attributes {
					onSpan = append(onSpan, string(a.Key))
				}
			}
		}
		assert.ElementsMatch(t, attrs, onSpan)

		severity := severityOf(columns["Severity"][1], resolved)
		require.NotNil(t, records.last)
		assert.Equal(t, tracing.EventInconsistency, records.last.EventName())
		assert.Equal(t, severity, records.last.Severity().String())
		assert.False(t, records.last.Timestamp().IsZero())
		var onRecord []string
		records.last.WalkAttributes(func(a attribute.KeyValue) bool {
			onRecord = append(onRecord, string(a.Key))
			return true
		})
		assert.ElementsMatch(t, append(ticked(columns["Text of the error"][1]), attrs...), onRecord)

		line := map[string]any{}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		own := []string{"time", "level"}
		for _, row := range []string{"Name", "Text", "Text of the error"} {
			own = append(own, first(t, columns[row][2]))
		}
		assert.ElementsMatch(t, append(own, attrs...), slices.Collect(maps.Keys(line)))
		assert.Equal(t, severityOf(columns["Severity"][2], resolved), line["level"])
		assert.Equal(t, records.last.Body().AsString(), line["msg"])
	}
}

// severityOf reads "ERROR; WARN when resolved".
func severityOf(cell string, resolved bool) string {
	usual, exception, _ := strings.Cut(cell, "; ")
	if resolved {
		return strings.TrimSuffix(exception, " when resolved")
	}
	return usual
}
