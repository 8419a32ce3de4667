package tracing_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const semconvDoc = "semconv.md"

// proposed are the names that docs/semconv.md defines, by the table that has them.
func proposed(t *testing.T) (spans, attrs, metrics, events []string) {
	t.Helper()
	doc := readDoc(t, semconvDoc)
	for _, row := range table(t, doc, "## Spans") {
		spans = append(spans, first(t, row[1]))
	}
	for _, row := range table(t, doc, "## Attributes") {
		if name := first(t, row[0]); name != "error.type" { // which exists
			attrs = append(attrs, name)
		}
	}
	for _, row := range table(t, doc, "## Metrics") {
		metrics = append(metrics, first(t, row[0]))
	}
	event := ticked(section(t, doc, "## Event"))
	events = []string{event[0]}
	for _, name := range []string{".summary", ".unstorable_value", ".coherence.lost", ".coherence.restored", ".resolution"} {
		i := slices.IndexFunc(event, func(text string) bool { return strings.HasSuffix(text, name) })
		require.Positive(t, i, name)
		events = append(events, event[i])
	}
	return spans, attrs, metrics, events
}

// Each name that tiercache emits has one that is proposed, and the other way around.
func TestDocs_ProposedNames(t *testing.T) {
	t.Parallel()
	spans, attrs, metrics, events := proposed(t)
	all := slices.Concat(spans, attrs, metrics, events)
	var ours, theirs []string
	for _, row := range table(t, readDoc(t, semconvDoc), "## Names of tiercache") {
		target := ticked(row[1])
		require.Len(t, target, 1, "the proposed name of %v", row)
		assert.Contains(t, all, target[0], "it is not defined")
		theirs = append(theirs, target[0])
		ours = append(ours, ticked(row[0])...)

		// A name keeps its kind: an attribute does not become a metric.
		for _, name := range ticked(row[0]) {
			n := readNames(t)
			assert.Equal(t, slices.Contains(n.values("Attr"), name), slices.Contains(attrs, target[0]), "attribute %s", name)
			assert.Equal(t, slices.Contains(n.values("Metric"), name), slices.Contains(metrics, target[0]), "metric %s", name)
			assert.Equal(t, slices.Contains(n.values("Event"), name), slices.Contains(events, target[0]), "event %s", name)
		}
	}
	want := append(slices.Collect(maps.Keys(observe(t).spans)), sorted(readNames(t).values(""))...)
	assert.ElementsMatch(t, want, ours)
	assert.Equal(t, sorted(all), sorted(theirs), "a proposed name that nothing corresponds to")
}

var wellFormed = regexp.MustCompile(`^cache(\.[a-z][a-z0-9_]*)+(\.<tier>)?$`)

// The proposed names follow OpenTelemetry's rules for names, and every name that the
// document uses in a table of metrics or for an event is defined.
func TestDocs_ProposedNamesAreWellFormed(t *testing.T) {
	t.Parallel()
	_, attrs, metrics, events := proposed(t)
	for _, kind := range [][]string{attrs, metrics, events} {
		assert.Len(t, sorted(kind), len(kind), "names of one kind are unique: %v", kind)
		for _, name := range kind {
			assert.Regexp(t, wellFormed, name)
		}
	}
	doc := readDoc(t, semconvDoc)
	for _, row := range table(t, doc, "## Metrics") {
		plural := strings.HasSuffix(first(t, row[0]), "s") && !strings.HasSuffix(first(t, row[0]), ".status")
		assert.Equal(t, row[1] == "Counter", plural, "only counters have a plural: %s", row[0])
		for _, attr := range ticked(row[4]) {
			assert.Contains(t, append(attrs, "error.type"), attr, "of %s", row[0])
		}
	}
	for _, outcome := range []string{"applied", "failed", "unknown", "skipped", "superseded"} {
		assert.Contains(t, section(t, doc, "### Outcomes"), "| `"+outcome+"` |")
	}
}

// The document says that nothing emits the proposed names.
func TestDocs_ProposedNamesAreNotEmitted(t *testing.T) {
	t.Parallel()
	o := observe(t)
	_, attrs, metrics, _ := proposed(t)
	for _, name := range attrs {
		assert.NotContains(t, o.attrs, name)
	}
	for _, name := range metrics {
		assert.NotContains(t, o.metrics, name)
	}
}
