package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:srcset|src|href)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	code    = regexp.MustCompile("(?s)\n```.*?\n```\n|`[^`\n]*`")
	linked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// TestLinks follows each relative link of every page in the repository, to its file and to
// its heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, page := range markdown(t) {
		text := code.ReplaceAllStringFunc(read(t, page), func(s string) string {
			if strings.ContainsAny(s, "\n") {
				return ""
			}
			return strings.Trim(s, "`") // the text of a link
		})
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := found[1] + found[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			checked++
			path, anchor, _ := strings.Cut(target, "#")
			file := page
			if path != "" {
				file = filepath.Join(filepath.Dir(page), filepath.FromSlash(path))
			}
			if _, err := os.Stat(file); !assert.NoError(t, err, "%s: a link leads nowhere", page) || anchor == "" {
				continue
			}
			assert.Contains(t, anchors(read(t, file)), anchor, "%s: %s has no such heading", page, file)
		}
	}
	assert.Greater(t, checked, 50)
}

// markdown returns the pages of the repository.
func markdown(t *testing.T) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".github" || entry.Name() == "bin" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			all = append(all, path)
		}
		return nil
	}))
	require.NotEmpty(t, all)
	return all
}

// anchors returns the names that GitHub gives to the headings of a page.
func anchors(page string) (names []string) {
	page = regexp.MustCompile("(?s)\n```.*?\n```\n").ReplaceAllString("\n"+page, "\n")
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		text := linked.ReplaceAllString(found[1], "$1")
		var b strings.Builder
		for _, r := range strings.ToLower(text) {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				b.WriteRune(r)
			case r == ' ':
				b.WriteByte('-')
			}
		}
		names = append(names, b.String())
	}
	return names
}
