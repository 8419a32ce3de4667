package tracing_test

import (
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// godoc returns the comment of the package, as a document with headings.
func godoc(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	return file.Doc.Text()
}

var gap = regexp.MustCompile(` {2,}`)

// list returns the lines below a heading that are indented, in columns.
func list(t *testing.T, heading string) (lines [][]string) {
	t.Helper()
	for line := range strings.Lines(section(t, "\n"+godoc(t), heading)) {
		if strings.HasPrefix(line, "\t") {
			lines = append(lines, gap.Split(strings.TrimSpace(line), -1))
		}
	}
	require.NotEmpty(t, lines, heading)
	return lines
}

func TestDocs_Godoc(t *testing.T) {
	t.Parallel()
	o := observe(t)

	documented, emitted := map[string]string{}, map[string]string{}
	for _, line := range list(t, "# Spans") {
		documented[line[0]], _, _ = strings.Cut(line[1], ";")
	}
	for name, kinds := range o.spans {
		emitted[name] = strings.Join(kinds.sorted(), ", ")
	}
	assert.Equal(t, emitted, documented)

	var attrs []string
	for _, line := range list(t, "# Attributes") {
		attrs = append(attrs, line...)
	}
	assert.ElementsMatch(t, readNames(t).values("Attr"), attrs)

	documented, emitted = map[string]string{}, map[string]string{}
	for _, line := range list(t, "# Metrics") {
		documented[line[0]] = line[1]
	}
	for name, m := range o.metrics {
		emitted[name] = m.instrument + ", " + m.unit
	}
	assert.Equal(t, emitted, documented)

	for _, event := range readNames(t).values("Event") {
		assert.Contains(t, godoc(t), "The event "+event+" is")
	}
}

// The README and the other pages leave the tables to docs/telemetry.md. A name that they
// do mention exists.
func TestDocs_OtherPages(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "(docs/telemetry.md)")
	all := readNames(t).values("")
	mentioned := 0
	for _, page := range []string{"README", "docs/operations", "docs/policies", "docs/reads", "docs/tiers", "docs/migration", "docs/runbook", "docs/sampling"} {
		content, err := os.ReadFile("../" + page + ".md")
		require.NoError(t, err)
		for _, word := range ticked(string(content)) {
			name, _, _ := strings.Cut(word, "=")
			if telemetryName.MatchString(name) {
				mentioned++
				assert.Contains(t, all, name, page)
			}
		}
	}
	assert.Greater(t, mentioned, 5)
}

// telemetryName is a name of telemetry, as opposed to one of the API.
var telemetryName = regexp.MustCompile(`^tiercache\.[a-z]`)
