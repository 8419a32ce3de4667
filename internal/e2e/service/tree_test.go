package service_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tiercachetest"
)

// tree prints a trace by [tiercachetest.Tree], of attributes those that the contract
// of this library promises.
func tree(t *trace) string {
	var stubs tracetest.SpanStubs
	var add func(s *span)
	add = func(s *span) {
		stubs = append(stubs, s.stub())
		for _, child := range t.children(s) {
			add(child)
		}
	}
	for i := range t.Spans {
		if s := &t.Spans[i]; !t.has(s.parent()) {
			add(s)
		}
	}
	return tiercachetest.Tree(stubs.Snapshots(), tiercachetest.ShortNames())
}

func (t *trace) has(spanID string) bool {
	return slices.ContainsFunc(t.Spans, func(s span) bool { return s.SpanID == spanID })
}

// children returns the spans below one, in the order of their starts; of two that
// began in the same microsecond, l1 comes before l2. How often the Redis client tries
// again is the service's choice: of attempts in a row only the last is there.
func (t *trace) children(parent *span) []*span {
	var found []*span
	for i := range t.Spans {
		if s := &t.Spans[i]; s.parent() == parent.SpanID {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *span) int {
		return cmp.Or(cmp.Compare(a.StartTime, b.StartTime), cmp.Compare(a.Name, b.Name))
	})
	var kept []*span
	for i, s := range found {
		if i+1 == len(found) || s.Tags.get("error") == "" || s.Name != found[i+1].Name {
			kept = append(kept, s)
		}
	}
	return kept
}

// stub returns the span as OpenTelemetry has it, without its links.
func (s *span) stub() tracetest.SpanStub {
	stub := tracetest.SpanStub{
		Name: s.Name, SpanContext: spanContext(s.TraceID, s.SpanID), Parent: spanContext(s.TraceID, s.parent()),
		SpanKind: map[string]oteltrace.SpanKind{
			"internal": oteltrace.SpanKindInternal, "server": oteltrace.SpanKindServer, "client": oteltrace.SpanKindClient,
		}[s.Tags.get("span.kind")],
		StartTime: time.UnixMicro(int64(s.StartTime)), Attributes: s.Tags.promised(),
	}
	if s.Tags.get("error") == "true" {
		stub.Status.Code = codes.Error
	}
	for _, e := range s.Logs {
		if name := e.Fields.get("event"); name != "exception" { // redisotel's way to tell an error
			stub.Events = append(stub.Events, sdktrace.Event{Name: name, Attributes: e.Fields.promised()})
		}
	}
	return stub
}

// spanContext returns that of a span; one without an id is not valid.
func spanContext(traceID, spanID string) oteltrace.SpanContext {
	var config oteltrace.SpanContextConfig
	pad := func(id string, size int) string { return strings.Repeat("0", max(0, size-len(id))) + id }
	config.TraceID, _ = oteltrace.TraceIDFromHex(pad(traceID, 32))
	config.SpanID, _ = oteltrace.SpanIDFromHex(pad(spanID, 16))
	return oteltrace.NewSpanContext(config)
}

// promised returns the attributes that the contract of this library promises,
// except for times, and a hash with a random secret.
func (t tags) promised() (attrs []attribute.KeyValue) {
	varying := []string{"tiercache.lock.wait_duration", "tiercache.repair.age", "tiercache.key"}
	for _, tag := range t {
		if strings.HasPrefix(tag.Key, "tiercache.") && !slices.Contains(varying, tag.Key) || tag.Key == "error.type" {
			attrs = append(attrs, attribute.String(tag.Key, fmt.Sprint(tag.Value)))
		}
	}
	return attrs
}

// What Jaeger answers is printed whole, also a span whose parent has not come yet.
func TestTree(t *testing.T) {
	t.Parallel()
	const traceID = "0af7651916cd43dd8448eb211c80319c"
	below := func(id string) []reference { return []reference{{refParent, traceID, id}} }
	drawn := tree(&trace{traceID, []span{
		{traceID, "0000000000000004", "set", below("0000000000000003"), 4, tags{{"span.kind", "client"}, {"error", true}}, nil},
		{traceID, "0000000000000005", "set", below("0000000000000003"), 5, tags{{"span.kind", "client"}, {"error", true}}, []event{
			{tags{{"event", "exception"}}},
		}},
		{traceID, "0000000000000001", "PUT /users/{id}", nil, 1, tags{{"span.kind", "server"}}, nil},
		{traceID, "0000000000000003", "set users l2", below("0000000000000002"), 3, tags{
			{"span.kind", "internal"}, {"tiercache.tier.name", "l2"}, {"db.system.name", "redis"},
		}, nil},
		{traceID, "0000000000000006", "set users l1", below("0000000000000002"), 3, tags{{"span.kind", "internal"}}, nil},
		{traceID, "0000000000000002", "set users", below("0000000000000001"), 2, tags{
			{"span.kind", "internal"}, {"error", true}, {"tiercache.consistent", false}, {"tiercache.lock.wait_duration", 0.1}, {"error.type", "timeout"},
		}, []event{{tags{{"event", "tiercache.inconsistency"}, {"tiercache.stale_tier", "l2"}}}}},
		{traceID, "8", "lost", below("0000000000000007"), 8, tags{{"span.kind", "internal"}}, nil},
	}})
	assert.Equal(t, `PUT /users/{id} (server)
  set users (internal) Error consistent=false error.type=timeout
    ! tiercache.inconsistency stale_tier=l2
    set users l1 (internal)
    set users l2 (internal) tier.name=l2
      set (client) Error
(its parent is missing) lost (internal)
`, drawn)
}
