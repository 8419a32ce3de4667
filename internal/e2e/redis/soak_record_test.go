package redis_test

import (
	"context"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// record is what an operator knows from the traces alone: of which keys an
// inconsistency was reported since the last write that both tiers applied. The
// span of a write ends before another write of its key begins, so the order is
// that of the writes.
type record struct {
	mu       sync.Mutex
	reported map[string]bool
	writes   int
	events   int
}

var _ sdktrace.SpanProcessor = (*record)(nil)

func newRecord() *record { return &record{reported: make(map[string]bool)} }

func (*record) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (*record) Shutdown(context.Context) error                  { return nil }
func (*record) ForceFlush(context.Context) error                { return nil }

func (r *record) OnEnd(span sdktrace.ReadOnlySpan) {
	key, l1, l2 := "", "", ""
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case tracing.AttrKey:
			key = kv.Value.AsString()
		case tracing.AttrL1Outcome:
			l1 = kv.Value.AsString()
		case tracing.AttrL2Outcome:
			l2 = kv.Value.AsString()
		}
	}
	if l1 == "" { // not a write's own
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	if l1 == "applied" && l2 == "applied" {
		r.reported[key] = false
	}
	for _, e := range span.Events() {
		if e.Name == tracing.EventInconsistency {
			r.reported[key] = true
			r.events++
		}
	}
}

// state is what a tier holds at some keys.
type state map[string]string

// stateOf asks a tier.
func stateOf(ctx context.Context, tier backends.Backend[string], keys []string) (state, error) {
	s := make(state)
	for _, key := range keys {
		entry, ok, err := tier.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		if ok {
			s[key] = entry.Value
		}
	}
	return s, nil
}

// silent returns the keys in which the tiers differ although nobody was told. It
// is no difference when L1 has nothing.
func silent(l1, l2 state, reported map[string]bool) (keys []string) {
	for key, value := range l1 {
		if l2[key] != value && !reported[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
