package tiercachedebug

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
)

// inconsistency is one that was reported.
type inconsistency struct {
	Time      time.Time `json:"time"`
	Cache     string    `json:"cache"`
	Text      string    `json:"text"`
	StaleTier string    `json:"stale_tier"`
	Resolved  bool      `json:"resolved"`
	TraceID   string    `json:"trace_id,omitempty"`
	Sampled   bool      `json:"sampled"`
	Key       string    `json:"key,omitempty"`
}

// Record is a hook for [tiercache.WithInconsistencyHook]: the handler lists the latest 50
// inconsistencies, with the ids of their traces. A service that has a hook of its own calls Record
// in it. Record waits for nothing but other calls of the handler.
func (h *Handler) Record(ctx context.Context, i tiercache.Inconsistency) {
	span := trace.SpanContextFromContext(ctx)
	e := inconsistency{
		Time: time.Now(), Cache: i.Cache, Text: i.String(), StaleTier: i.Verdict.Stale.String(),
		Resolved: i.Verdict.Resolved, Sampled: span.IsSampled(),
	}
	if span.HasTraceID() {
		e.TraceID = span.TraceID().String()
	}
	if h.keys {
		e.Key = i.Key
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == h.keep {
		h.events = append(h.events[:0], h.events[1:]...)
	}
	h.events = append(h.events, e)
}
