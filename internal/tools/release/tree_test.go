package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is a core, an adapter that finds it by replace, an internal module, and the program
// that the README shows.
func repository() map[string]string {
	const replaced = "\n\ngo 1.26.0\n\nreplace example.com/lib => ../..\n\nrequire example.com/lib v0.0.0\n"
	return map[string]string{
		"LICENSE":                    "Do as you like.\n",
		"README.md":                  "# lib\n",
		"CHANGELOG.md":               "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- All of it.\n",
		"go.mod":                     "module example.com/lib\n\ngo 1.26.0\n",
		"lib.go":                     "package lib\n\n// Name is the name.\nfunc Name() string { return \"lib\" }\n",
		"tracing/names.go":           "package tracing\n\n// Version is the version.\nconst Version = \"0.1.0\"\n",
		"backends/adapter/go.mod":    "module example.com/lib/backends/adapter" + replaced,
		"backends/adapter/a.go":      "package adapter\n\nimport \"example.com/lib\"\n\n// Name is the name.\nfunc Name() string { return lib.Name() }\n",
		"internal/tool/go.mod":       "module example.com/lib/internal/tool" + replaced,
		"internal/tool/t.go":         "package tool\n\nimport \"example.com/lib\"\n\nvar _ = lib.Name\n",
		"examples/go.mod":            "module example.com/lib/examples" + strings.Replace(replaced, "../..", "..", 1),
		"examples/readme/my_test.go": "package readme\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/lib/backends/adapter\"\n)\n\nfunc Example() {\n\tfmt.Println(adapter.Name())\n\t// Output: lib\n}\n",
		"testdata/broken/go.mod":     "this is none",
	}
}

// commitFiles makes a repository of files in a temporary folder.
func commitFiles(t *testing.T, files map[string]string) *tree {
	t.Helper()
	tree := &tree{root: t.TempDir()}
	tree.run(t, "init", "--quiet", "--initial-branch", "main")
	tree.run(t, "config", "user.name", "Test")
	tree.run(t, "config", "user.email", "test@example.com")
	tree.run(t, "config", "commit.gpgsign", "false")
	tree.run(t, "config", "tag.gpgsign", "false")
	tree.commitMore(t, files)
	return tree.again(t)
}

func (t *tree) commitMore(tb testing.TB, files map[string]string) {
	tb.Helper()
	for name, text := range files {
		require.NoError(tb, os.MkdirAll(filepath.Dir(t.disk(name)), 0o755))
		require.NoError(tb, os.WriteFile(t.disk(name), []byte(text), 0o644))
	}
	t.run(tb, "add", "--all")
	t.run(tb, "commit", "--quiet", "--message", "More")
}

// again reads the tree after a change of its files.
func (t *tree) again(tb testing.TB) *tree {
	tb.Helper()
	next, err := readTree(tb.Context(), t.root)
	require.NoError(tb, err)
	return next
}

func (t *tree) run(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := t.git(tb.Context(), args...)
	require.NoError(tb, err)
	return out
}

func paths(modules []*module) (paths []string) {
	for _, m := range modules {
		paths = append(paths, m.path)
	}
	return paths
}

func TestReadTree_putsModulesAfterThoseThatTheyRequire(t *testing.T) {
	t.Parallel()
	files := repository()
	files["backends/first/go.mod"] = "module example.com/lib/backends/first\n\nrequire (\n\texample.com/lib v0.0.0\n\texample.com/lib/tracing/last v0.0.0\n)\n"
	files["tracing/last/go.mod"] = "module example.com/lib/tracing/last\n\nrequire example.com/lib v0.0.0\n"
	tree := commitFiles(t, files)
	require.Equal(t, []string{
		"example.com/lib",
		"example.com/lib/backends/adapter",
		"example.com/lib/tracing/last",
		"example.com/lib/backends/first",
	}, paths(tree.published()))
}

func TestReadTree_refuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file, text, want string
	}{
		{"another name", "other/go.mod", "module example.com/other\n", "call it example.com/lib/other"},
		{"an internal requirement", "more/go.mod", "module example.com/lib/more\n\nrequire example.com/lib/internal/tool v0.0.0\n", "which is not published"},
		{"a circle", "go.mod", "module example.com/lib\n\nrequire example.com/lib/backends/adapter v0.0.0\n", "in a circle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree := commitFiles(t, repository())
			tree.commitMore(t, map[string]string{test.file: test.text})
			_, err := readTree(t.Context(), tree.root)
			require.ErrorContains(t, err, test.want)
		})
	}
}
