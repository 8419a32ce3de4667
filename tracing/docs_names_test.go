package tracing_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// named is a constant of names.go: its value, and the comment behind it.
type named struct{ value, comment string }

// names are the constants of names.go, by their Go names.
type names map[string]named

// readNames parses names.go. A constant whose kind is not known by its name fails the
// test, so that none is left out of the documents.
func readNames(t *testing.T) names {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, parser.ParseComments)
	require.NoError(t, err)
	found := names{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec) //nolint:forcetypeassert // a constant is nothing else
			require.Len(t, value.Names, 1)
			name := value.Names[0].Name
			switch {
			case name == "ScopeName", name == "Version", name == "SchemaURL":
			case strings.HasPrefix(name, "Attr"), strings.HasPrefix(name, "Metric"), strings.HasPrefix(name, "Event"):
				found[name] = named{literal(t, value.Values[0]), strings.TrimSpace(value.Comment.Text())}
			default:
				t.Errorf("%s is neither an attribute, a metric nor an event: docs/telemetry.md would not have it", name)
			}
		}
	}
	require.NotEmpty(t, found)
	return found
}

// literal returns the string of "s" and of attribute.Key("s").
func literal(t *testing.T, expr ast.Expr) string {
	t.Helper()
	if call, ok := expr.(*ast.CallExpr); ok {
		require.Len(t, call.Args, 1)
		expr = call.Args[0]
	}
	lit, ok := expr.(*ast.BasicLit)
	require.True(t, ok, "%T", expr)
	s, err := strconv.Unquote(lit.Value)
	require.NoError(t, err)
	return s
}

// values returns the values of the constants whose Go names begin with a prefix.
func (n names) values(prefix string) (values []string) {
	for name, c := range n {
		if strings.HasPrefix(name, prefix) {
			values = append(values, c.value)
		}
	}
	return values
}

const docsFolder = "../docs/"

func readDoc(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(docsFolder + name)
	require.NoError(t, err)
	return string(content)
}

// section returns the text below a heading, up to the next heading of any level.
func section(t *testing.T, doc, heading string) string {
	t.Helper()
	_, below, found := strings.Cut(doc, "\n"+heading+"\n")
	require.True(t, found, "there is no heading %q", heading)
	below, _, _ = strings.Cut(below, "\n#")
	return below
}

// table returns the rows of the first table below a heading, without its head.
func table(t *testing.T, doc, heading string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(section(t, doc, heading)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if rows != nil {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	require.Greater(t, len(rows), 2, "%q has a table", heading)
	for _, row := range rows {
		require.Len(t, row, len(rows[0]), "the columns of %q in %v", heading, row)
	}
	return rows[2:]
}

var tick = regexp.MustCompile("`([^`]+)`")

// ticked returns the texts between backticks.
func ticked(cell string) (words []string) {
	for _, match := range tick.FindAllStringSubmatch(cell, -1) {
		words = append(words, match[1])
	}
	return words
}

// first returns the one word between backticks that a cell begins with.
func first(t *testing.T, cell string) string {
	t.Helper()
	words := ticked(cell)
	require.NotEmpty(t, words, "%q begins with a name", cell)
	return words[0]
}
