package redis_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/attribute"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// capture is what a cache reports.
type capture struct{ *tiercachetest.Recorder }

// events are those on spans, each as its attributes.
func (c capture) events() (events []map[attribute.Key]attribute.Value) {
	for _, span := range c.Spans() {
		for _, e := range span.Events() {
			if e.Name != tracing.EventInconsistency {
				continue
			}
			attrs := make(map[attribute.Key]attribute.Value)
			for _, kv := range e.Attributes {
				attrs[kv.Key] = kv.Value
			}
			events = append(events, attrs)
		}
	}
	return events
}

// event checks that the hook and the spans were told of the same inconsistency,
// once, and returns it; or that there was none, when want is false.
func (c capture) event(t *testing.T, want bool) (i tiercache.Inconsistency) {
	t.Helper()
	hooks, events := c.Inconsistencies(), c.events()
	if !want {
		assert.Empty(t, hooks, "the hook was called although the tiers cannot differ")
		assert.Empty(t, events, "there is an event although the tiers cannot differ")
		return i
	}
	if !assert.Len(t, hooks, 1, "calls of the hook") || !assert.Len(t, events, 1, "events on spans") {
		t.FailNow()
	}
	i = hooks[0]
	for name, wanted := range map[attribute.Key]attribute.Value{
		tracing.AttrOperation:    attribute.StringValue(i.Kind.String()),
		tracing.AttrPolicy:       attribute.StringValue(i.Policy),
		tracing.AttrL1Outcome:    attribute.StringValue(i.L1.Outcome.String()),
		tracing.AttrL2Outcome:    attribute.StringValue(i.L2.Outcome.String()),
		tracing.AttrStaleTier:    attribute.StringValue(i.Verdict.Stale.String()),
		tracing.AttrCompensation: attribute.StringValue(i.Verdict.Compensation.String()),
		tracing.AttrResolved:     attribute.BoolValue(i.Verdict.Resolved),
	} {
		assert.Equal(t, wanted.AsInterface(), events[0][name].AsInterface(), "the event's %s", name)
	}
	return i
}
