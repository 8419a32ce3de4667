package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// pages returns README.md and all pages of docs, by their paths from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	all := map[string]string{}
	for _, path := range append(found, filepath.Join(root, "README.md")) {
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		all[name] = read(t, path)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

var fence = regexp.MustCompile("(?s)\n```go\n(.*?)\n```\n")

// TestCode holds each block of Go in the README and the pages of docs to code that is
// compiled, and most of it run, in one of these folders. Programs that use other libraries
// are in internal/bench, because nobody else should download these.
func TestCode(t *testing.T) {
	t.Parallel()
	var compiled []string
	for _, folder := range []string{"examples/docs", "examples/readme", "internal/bench/migration"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, folder)
		for _, file := range files {
			compiled = append(compiled, lines(read(t, file)))
		}
	}
	source := strings.Join(compiled, "\n")
	for name, page := range pages(t) {
		blocks := fence.FindAllStringSubmatch(page, -1)
		assert.Len(t, blocks, strings.Count(page, "```go"), "%s: blocks of Go begin and end a line", name)
		for _, block := range blocks {
			assert.Contains(t, source, lines(block[1]), "%s shows Go that no test compiles", name)
		}
	}
}

var check = regexp.MustCompile(`(?m)^\s*if err != nil \{\n\s*return (?:.*, )?err\n\s*\}\n`)

// lines returns code without indentation, empty lines, lines that are comments, and the
// usual checks of errors, which a page may leave out.
func lines(code string) string {
	code = check.ReplaceAllString(code, "")
	var b strings.Builder
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
