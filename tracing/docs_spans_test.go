package tracing_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// operations are those whose spans docs/telemetry.md counts. Spans before the counted
// operation begins are not counted.
var operations = map[string]struct {
	opts    []tiercache.Option
	prepare func(t *testing.T, f fixture)
	run     []func(t *testing.T, f fixture) // each makes as many spans
}{
	"`Set` or `Delete`": {run: []func(*testing.T, fixture){
		set(nil, nil),
		func(t *testing.T, f fixture) { require.NoError(t, f.Delete(t.Context(), "k")) },
	}},
	"`Set`, L2 fails": {run: []func(*testing.T, fixture){set(nil, refuse), set(nil, lose)}},
	"`Set`, L2 fails, L1 drops its copy": {
		opts: writes(writepolicy.Sequential(writepolicy.InvalidateL1())),
		run:  []func(*testing.T, fixture){set(nil, refuse)},
	},
	"`Get`, hit in L1": {prepare: set(nil, nil), run: []func(*testing.T, fixture){
		func(t *testing.T, f fixture) { f.get(t) },
		func(t *testing.T, f fixture) { f.load(t, load("v", nil)) },
	}},
	"`Get`, hit in L1, `WithL1HitSpans`": {
		opts:    []tiercache.Option{tiercache.WithL1HitSpans()},
		prepare: set(nil, nil),
		run:     []func(*testing.T, fixture){func(t *testing.T, f fixture) { f.get(t) }},
	},
	"`Get`, hit in L2, with a refill": {run: []func(*testing.T, fixture){
		func(t *testing.T, f fixture) { f.get(t) },
	}, prepare: func(t *testing.T, f fixture) { f.putL2(t) }},
	"`Get`, miss": {run: []func(*testing.T, fixture){func(t *testing.T, f fixture) { f.get(t) }}},
	"`GetOrLoad`, loads": {run: []func(*testing.T, fixture){
		func(t *testing.T, f fixture) { f.load(t, load("v", nil)) },
	}},
	"`GetOrLoad`, waits for another caller": {prepare: func(t *testing.T, f fixture) {
		go f.load(t, func(context.Context, string) (string, error) { <-time.After(time.Hour); return "v", nil })
		<-time.After(time.Minute) // it is in its loader; its spans end after the one that is counted
	}, run: []func(*testing.T, fixture){func(t *testing.T, f fixture) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := f.GetOrLoad(ctx, "k", time.Hour, load("v", nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}}},
}

func TestDocs_SpanCounts(t *testing.T) {
	t.Parallel()
	remote, instrumented := backends.Description{System: "redis"}, backends.Description{System: "redis", Instrumented: true}
	columns := []struct {
		budget tracing.TierSpans
		l2     []backends.Description // each with as many spans
	}{
		{tracing.TierSpansAll, []backends.Description{remote, instrumented}},
		{tracing.TierSpansL2, []backends.Description{remote}},
		{tracing.TierSpansL2, []backends.Description{instrumented}},
		{tracing.TierSpansFailures, []backends.Description{remote, instrumented}},
	}
	rows := table(t, readDoc(t, telemetryDoc), "### How many spans")
	assert.Len(t, rows, len(operations))
	for _, row := range rows {
		op, ok := operations[row[0]]
		require.True(t, ok, "%q is counted by nobody", row[0])
		for i, column := range columns {
			for _, l2 := range column.l2 {
				for _, run := range op.run {
					synctest.Test(t, func(t *testing.T) {
						spans := tracetest.NewSpanRecorder()
						f := newFixture(t, backends.Description{InProcess: true}, l2, append(op.opts, tiercache.WithTelemetry(
							tracing.Disabled(), tracing.WithTierSpans(column.budget),
							tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))))...)
						if op.prepare != nil {
							op.prepare(t, f)
						}
						before := len(spans.Ended())
						run(t, f)
						assert.Equal(t, row[i+1], strconv.Itoa(len(spans.Ended())-before), "%s, column %d", row[0], i+1)
						<-time.After(2 * time.Hour)
						require.NoError(t, f.Close(t.Context()))
					})
				}
			}
		}
	}
}
