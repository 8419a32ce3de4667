package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// The part of Jaeger's query API that is used here.
type (
	trace struct {
		TraceID string `json:"traceID"`
		Spans   []span `json:"spans"`
	}

	span struct {
		TraceID    string      `json:"traceID"`
		SpanID     string      `json:"spanID"`
		Name       string      `json:"operationName"`
		References []reference `json:"references"`
		StartTime  uint64      `json:"startTime"` // µs
		Tags       tags        `json:"tags"`
		Logs       []event     `json:"logs"`
	}

	reference struct {
		Type    string `json:"refType"` // CHILD_OF: its parent; FOLLOWS_FROM: a link
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	}

	event struct {
		Fields tags `json:"fields"`
	}

	tags []struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
)

const (
	refParent = "CHILD_OF"
	refLink   = "FOLLOWS_FROM"
)

// get returns the value of a tag as text; "" if there is none.
func (t tags) get(key string) string {
	for _, tag := range t {
		if tag.Key == key {
			return fmt.Sprint(tag.Value)
		}
	}
	return ""
}

// parent returns the id of the span's parent; "" if it is a root.
func (s *span) parent() string {
	for _, r := range s.References {
		if r.Type == refParent {
			return r.SpanID
		}
	}
	return ""
}

// span returns the span of that name; nil if there is none, or more than one.
func (t *trace) span(name string) *span {
	var found *span
	for i := range t.Spans {
		if t.Spans[i].Name != name {
			continue
		}
		if found != nil {
			return nil
		}
		found = &t.Spans[i]
	}
	return found
}

// events returns the events of that name of all spans of the trace.
func (t *trace) events(name string) []event {
	var found []event
	for i := range t.Spans {
		for _, e := range t.Spans[i].Logs {
			if e.Fields.get("event") == name {
				found = append(found, e)
			}
		}
	}
	return found
}

// findTraces returns the traces of a service in which one span has all the tags, as
// Jaeger's search page does; no tags: all traces.
func findTraces(ctx context.Context, jaegerURL, service string, wanted map[string]string) ([]trace, error) {
	parameters := url.Values{"service": {service}, "limit": {"1000"}}
	if len(wanted) > 0 {
		encoded, err := json.Marshal(wanted)
		if err != nil {
			return nil, err
		}
		parameters.Set("tags", string(encoded))
	}
	found, err := query[struct {
		Data []trace `json:"data"`
	}](ctx, jaegerURL+"/api/traces", parameters)
	return found.Data, err
}

// getTrace returns the trace of that id.
func getTrace(ctx context.Context, jaegerURL, id string) (trace, error) {
	found, err := query[struct {
		Data []trace `json:"data"`
	}](ctx, jaegerURL+"/api/traces/"+id, nil)
	if err != nil {
		return trace{}, err
	}
	if len(found.Data) != 1 {
		return trace{}, fmt.Errorf("%d traces have the id %s", len(found.Data), id)
	}
	return found.Data[0], nil
}
