package tiercachetest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// at returns the context of a span; 0 names none.
func at(traceID, spanID byte) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{traceID}, SpanID: trace.SpanID{spanID}})
}

// stub is a span that started some seconds after all began.
func stub(name string, id, parent trace.SpanContext, seconds int) tracetest.SpanStub {
	return tracetest.SpanStub{
		Name: name, SpanContext: id, Parent: parent, SpanKind: trace.SpanKindInternal,
		StartTime: time.Unix(int64(seconds), 0),
	}
}

func TestTree_OrdersAndIndents(t *testing.T) {
	t.Parallel()
	spans := tracetest.SpanStubs{
		stub("grandchild", at(1, 4), at(1, 2), 3),
		stub("second child", at(1, 3), at(1, 1), 2),
		stub("first child", at(1, 2), at(1, 1), 1),
		stub("another trace", at(2, 1), at(2, 0), 1),
		stub("equal starts: earlier end", at(1, 5), at(1, 4), 4),
		stub("equal starts: later end", at(1, 6), at(1, 4), 4),
		stub("root", at(1, 1), at(1, 0), 0),
		stub("remote parent", at(3, 1), at(3, 9), 9),
	}.Snapshots()
	before := slices.Clone(spans)
	assert.Equal(t, `root (internal)
  first child (internal)
    grandchild (internal)
      equal starts: earlier end (internal)
      equal starts: later end (internal)
  second child (internal)
another trace (internal)
(its parent is missing) remote parent (internal)
`, tiercachetest.Tree(spans))
	assert.Equal(t, before, spans, "the argument is not sorted")
}

// A parent is one of the same trace, although ids of spans repeat.
func TestNodes_ParentIsOfTheSameTrace(t *testing.T) {
	t.Parallel()
	roots := tiercachetest.Nodes(tracetest.SpanStubs{
		stub("a", at(1, 1), at(1, 0), 0), stub("b", at(2, 2), at(2, 1), 1), stub("c", at(1, 3), at(1, 1), 2),
	}.Snapshots())
	require.Len(t, roots, 2)
	require.Len(t, roots[0].Children, 1)
	assert.Equal(t, "c", roots[0].Children[0].Span.Name())
	assert.Empty(t, roots[1].Children)
	assert.Empty(t, tiercachetest.Nodes(nil))
}

// fullSpan has all that a span can have, and a linked span that is there.
func fullSpan() []sdktrace.ReadOnlySpan {
	full := stub("full", at(1, 1), at(1, 0), 0)
	full.SpanKind = trace.SpanKindClient
	full.Status.Code, full.Status.Description = codes.Error, `"secret" port 4711`
	full.Attributes = []attribute.KeyValue{
		attribute.Int("z", 1), tracing.AttrOutcome.String("failed"), attribute.String("exception.stacktrace", "goroutine 1"),
	}
	full.Events = []sdktrace.Event{
		{Name: "tiercache.event", Attributes: []attribute.KeyValue{tracing.AttrTier.String("l1"), attribute.Bool("a", true)}},
		{Name: "bare"},
	}
	full.Links = []sdktrace.Link{
		{SpanContext: at(2, 2), Attributes: []attribute.KeyValue{tracing.AttrTier.String("l2")}}, {SpanContext: at(7, 7)},
	}
	return tracetest.SpanStubs{full, stub("linked", at(2, 2), at(2, 0), 1)}.Snapshots()
}

func TestTree_Options(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []tiercachetest.TreeOption
		want string
	}{
		"none": {nil, `full (client) Error exception.stacktrace=(a stack) tiercache.outcome=failed z=1
  "\"secret\" port 4711"
  ! tiercache.event a=true tiercache.tier.name=l1
  ! bare
  linked to linked tiercache.tier.name=l2
  linked to a span that is missing
linked (internal)
`},
		"short, without descriptions": {
			[]tiercachetest.TreeOption{tiercachetest.ShortNames(), nil, tiercachetest.WithoutDescriptions()},
			`full (client) Error exception.stacktrace=(a stack) outcome=failed z=1
  ! tiercache.event a=true tier.name=l1
  ! bare
  linked to linked tier.name=l2
  linked to a span that is missing
linked (internal)
`,
		},
		"some attributes": {
			[]tiercachetest.TreeOption{tiercachetest.Only(tracing.AttrOutcome, "a")},
			`full (client) Error tiercache.outcome=failed
  "\"secret\" port 4711"
  ! tiercache.event a=true
  ! bare
  linked to linked
  linked to a span that is missing
linked (internal)
`,
		},
		"names and kinds": {
			[]tiercachetest.TreeOption{tiercachetest.Only(), tiercachetest.WithoutDescriptions()},
			`full (client) Error
  ! tiercache.event
  ! bare
  linked to linked
  linked to a span that is missing
linked (internal)
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, tiercachetest.Tree(fullSpan(), test.opts...))
		})
	}
}
