package service_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// tree draws a trace: a line a span, below its parent, in the order of their starts,
// with its kind, whether it failed, and what this library and its users' alerts say
// of it; then its events. A span whose parent is not there is a root that says so.
func tree(t *trace) string {
	var b strings.Builder
	for i := range t.Spans {
		s := &t.Spans[i]
		switch {
		case s.parent() == "":
			writeTree(&b, t, s, 0)
		case !t.has(s.parent()):
			b.WriteString("(its parent is missing) ")
			writeTree(&b, t, s, 0)
		}
	}
	return b.String()
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

func writeTree(b *strings.Builder, t *trace, s *span, depth int) {
	indent := strings.Repeat("  ", depth)
	fmt.Fprintf(b, "%s%s (%s)", indent, s.Name, s.Tags.get("span.kind"))
	if s.Tags.get("error") == "true" {
		b.WriteString(" error")
	}
	writeTags(b, s.Tags)
	b.WriteByte('\n')
	for _, e := range s.Logs {
		if e.Fields.get("event") == "exception" { // redisotel's way to tell an error
			continue
		}
		fmt.Fprintf(b, "%s  ! %s", indent, e.Fields.get("event"))
		writeTags(b, e.Fields)
		b.WriteByte('\n')
	}
	for _, child := range t.children(s) {
		writeTree(b, t, child, depth+1)
	}
}

// writeTags writes what the contract of this library promises.
func writeTags(b *strings.Builder, all tags) {
	var lines []string
	for _, tag := range all {
		switch {
		case tag.Key == "tiercache.lock.wait_duration": // a time
		case tag.Key == "tiercache.key": // a hash with a random secret
		case strings.HasPrefix(tag.Key, "tiercache."), tag.Key == "error.type":
			lines = append(lines, fmt.Sprintf(" %s=%v", strings.TrimPrefix(tag.Key, "tiercache."), tag.Value))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		b.WriteString(line)
	}
}
