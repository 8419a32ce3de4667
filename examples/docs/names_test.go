package docs_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	option   = regexp.MustCompile("`(?:[a-z]+\\.)?(With[A-Z][A-Za-z0-9]*)")
	declared = regexp.MustCompile(`(?m)^func (With[A-Z][A-Za-z0-9]*)[\[(]`)
	target   = regexp.MustCompile("(?m)(?:`|&& |^ {4})make ([a-z][a-z0-9-]*)")
	figure   = regexp.MustCompile(`\d (?:×|%|ns|µs|ms|MB|KB)(?:\W|$)`)
)

// theirs are options of other libraries, in docs/migration.md.
const theirs = " WithRemoteExpiry WithErrNotFound WithNotFoundExpiry WithRefreshDuration WithSyncLocal WithEventHandler WithExpiration WithTags "

// TestOptions requires that an option that a page names exists.
func TestOptions(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, found := range declared.FindAllStringSubmatch(read(t, path), -1) {
			exists[found[1]] = true
		}
		return nil
	}))
	named := 0
	for name, page := range pages(t) {
		for _, found := range option.FindAllStringSubmatch(page, -1) {
			if name == "docs/migration.md" && strings.Contains(theirs, " "+found[1]+" ") {
				continue
			}
			named++
			assert.True(t, exists[found[1]], "%s: there is no option %s", name, found[1])
		}
	}
	assert.Greater(t, named, 30)
}

// TestTargets requires that each target of make that a page names exists.
func TestTargets(t *testing.T) {
	t.Parallel()
	makefile := "\n" + read(t, filepath.Join(root, "Makefile"))
	named := 0
	for name, page := range pages(t) {
		for _, found := range target.FindAllStringSubmatch(page, -1) {
			named++
			assert.Regexp(t, `\n`+found[1]+`[^\n=]*:`, makefile, "%s: there is no target %s", name, found[1])
		}
	}
	assert.Greater(t, named, 10)
}

// TestFigures requires a command beside each measured figure of the README.
func TestFigures(t *testing.T) {
	t.Parallel()
	readme := fence.ReplaceAllString(pages(t)["README.md"], "")
	found := 0
	for paragraph := range strings.SplitSeq(readme, "\n\n") {
		if figure.MatchString(paragraph) {
			found++
			assert.Regexp(t, "`make [a-z-]+`|    make ", paragraph, "no command prints these figures")
		}
	}
	assert.Positive(t, found)
}

// TestMatrix requires that the cells of the README's comparison are those of the whole one.
func TestMatrix(t *testing.T) {
	t.Parallel()
	all := pages(t)
	whole := table(t, all["docs/divergence.md"])
	part := table(t, all["README.md"])
	assert.Len(t, part, 5)
	for scenario, cells := range part {
		for libraries, cell := range cells {
			for library := range strings.SplitSeq(libraries, ", ") {
				want, ok := whole[scenario][library]
				require.True(t, ok, "docs/divergence.md has no %s of %s", scenario, library)
				want, _, _ = strings.Cut(want, "; Get") // its result follows from the tiers
				want, _, _ = strings.Cut(want, " [")    // a note
				assert.Equal(t, want, cell, "%s of %s", scenario, library)
			}
		}
	}
}

// table returns the cells of the table of scenarios by row and column.
func table(t *testing.T, page string) map[string]map[string]string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n| Scenario |")
	require.True(t, found)
	text, _, _ := strings.Cut("| Scenario |"+rest, "\n\n")
	rows := strings.Split(text, "\n")
	columns := cellsOf(rows[0])
	cells := map[string]map[string]string{}
	for _, row := range rows[2:] {
		all := cellsOf(row)
		require.Len(t, all, len(columns), row)
		cells[all[0]] = map[string]string{}
		for i, cell := range all[1:] {
			cells[all[0]][columns[i+1]] = cell
		}
	}
	return cells
}

func cellsOf(row string) []string {
	cells := strings.Split(strings.Trim(row, "|"), "|")
	for i, cell := range cells {
		cells[i] = strings.TrimSpace(cell)
	}
	return cells
}

// TestShape bounds the README, and requires of each page that it begins with its point.
func TestShape(t *testing.T) {
	t.Parallel()
	for name, page := range pages(t) {
		if name == "README.md" {
			assert.LessOrEqual(t, strings.Count(page, "\n"), 150, "move it to a page of docs")
			continue
		}
		_, text, found := strings.Cut("\n"+page, "\n# ")
		require.True(t, found, "%s has a title", name)
		blocks := strings.SplitN(text, "\n\n", 3)
		require.Len(t, blocks, 3, name)
		assert.LessOrEqual(t, strings.Count(blocks[1], "\n"), 5, "%s: the first paragraph is its point", name)
		assert.NotRegexp(t, `(?m)^[|#]|`+"^```", blocks[1], "%s begins with its point", name)
	}
}
