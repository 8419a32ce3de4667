package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTag_makesTheTagsOfAllModules(t *testing.T) {
	t.Parallel()
	tree := commitFiles(t, repository())
	var out bytes.Buffer
	require.NoError(t, release{tree: tree, version: "v0.2.0", checks: "grep -q 0.2.0 tracing/names.go", out: &out}.make(t.Context()))

	require.Equal(t, "backends/adapter/v0.2.0\nv0.2.0", tree.run(t, "tag"))
	require.Empty(t, tree.run(t, "status", "--porcelain"))
	require.Contains(t, out.String(), "git push --atomic origin HEAD v0.2.0 backends/adapter/v0.2.0")

	// The branch has the version, and modules still find each other in the tree.
	require.Equal(t, tree.run(t, "rev-parse", "HEAD"), tree.run(t, "rev-parse", "v0.2.0^{commit}"))
	require.Contains(t, tree.run(t, "show", "HEAD:tracing/names.go"), `Version = "0.2.0"`)
	require.Contains(t, tree.run(t, "show", "HEAD:CHANGELOG.md"), "## [Unreleased]\n\n## [0.2.0] - 20")
	for _, module := range []string{"backends/adapter", "internal/tool", "examples"} {
		gomod := tree.run(t, "show", "HEAD:"+module+"/go.mod")
		require.Contains(t, gomod, "replace example.com/lib => ..")
		require.Contains(t, gomod, "require example.com/lib v0.2.0")
	}

	// The tag of a nested module has neither, and the checksums that a go command finds.
	require.Equal(t, tree.run(t, "rev-parse", "HEAD"), tree.run(t, "rev-parse", "backends/adapter/v0.2.0^"))
	gomod := tree.run(t, "show", "backends/adapter/v0.2.0:backends/adapter/go.mod")
	require.NotContains(t, gomod, "replace")
	require.Contains(t, gomod, "require example.com/lib v0.2.0")
	gosum := tree.run(t, "show", "backends/adapter/v0.2.0:backends/adapter/go.sum")
	require.Contains(t, gosum, "example.com/lib v0.2.0 h1:")
	require.Contains(t, gosum, "example.com/lib v0.2.0/go.mod h1:")

	require.ErrorContains(t, release{tree: tree.again(t), version: "v0.2.0"}.make(t.Context()), "not newer than the tag v0.2.0")
}

func TestTag_changesNothingWhenItShows(t *testing.T) {
	t.Parallel()
	tree := commitFiles(t, repository())
	before := tree.run(t, "for-each-ref")
	var out bytes.Buffer
	require.NoError(t, release{tree: tree, version: "v0.2.0", checks: "false", out: &out}.show(t.Context()))
	require.Equal(t, before, tree.run(t, "for-each-ref"))
	require.Empty(t, tree.run(t, "status", "--porcelain"))
	for _, line := range []string{
		"backends/adapter/go.mod: require example.com/lib v0.2.0",
		`tracing/names.go: const Version = "0.2.0"`,
		"would run: false",
		"backends/adapter/v0.2.0",
	} {
		require.Contains(t, out.String(), line)
	}
}

func TestTag_restoresTheTreeWhenACheckFails(t *testing.T) {
	t.Parallel()
	for name, checks := range map[string]string{"it fails": "false", "it edits": "echo more >>lib.go"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := commitFiles(t, repository())
			err := release{tree: tree, version: "v0.2.0", checks: checks, out: new(bytes.Buffer)}.make(t.Context())
			require.ErrorContains(t, err, "nothing was tagged")
			require.Empty(t, tree.run(t, "status", "--porcelain"))
			require.Empty(t, tree.run(t, "tag"))
		})
	}
}

func TestTag_refuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, version, file, text, want string
	}{
		{"no version", "0.2.0", "", "", "is no version"},
		{"half a version", "v0.2", "", "", "is no version"},
		{"an import path that is needed", "v2.0.0", "", "", "other import paths"},
		{"nothing to release", "v0.2.0", "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n\n- All.\n", "nothing is listed"},
		{"a heading that is there", "v0.2.0", "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- More.\n\n## [0.2.0]\n", "already"},
		{"no constant", "v0.2.0", "tracing/names.go", "package tracing\n", "one line that sets Version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree := commitFiles(t, repository())
			if test.file != "" {
				tree.commitMore(t, map[string]string{test.file: test.text})
			}
			err := release{tree: tree, version: test.version, out: new(bytes.Buffer)}.make(t.Context())
			require.ErrorContains(t, err, test.want)
			require.Empty(t, tree.run(t, "tag"))
		})
	}
}

func TestTag_refusesATreeThatIsNotClean(t *testing.T) {
	t.Parallel()
	tree := commitFiles(t, repository())
	require.NoError(t, tree.write(overlay{"new.go": []byte("package lib\n")}))
	err := release{tree: tree, version: "v0.2.0"}.make(t.Context())
	require.ErrorContains(t, err, "not clean")
	require.ErrorContains(t, err, "new.go")
}

func TestAPI(t *testing.T) {
	t.Parallel()
	tree := commitFiles(t, repository())
	api := func(next string) (string, error) {
		var out strings.Builder
		err := compareAPI(t.Context(), tree.again(t), next, &out)
		return out.String(), err
	}
	out, err := api("v0.2.0")
	require.NoError(t, err)
	require.Contains(t, out, "there is no tag yet")

	require.NoError(t, release{tree: tree, version: "v0.2.0", checks: "true", out: new(bytes.Buffer)}.make(t.Context()))
	out, err = api("v0.2.1")
	require.NoError(t, err)
	require.Contains(t, out, "api: example.com/lib since v0.2.0:\nno changes\n")

	tree.commitMore(t, map[string]string{
		"lib.go":            "package lib\n\nfunc Name() string { return \"\" }\n\nfunc More() {}\n",
		"backends/b/go.mod": "module example.com/lib/backends/b\n",
	})
	out, err = api("v0.2.1")
	require.NoError(t, err)
	require.Contains(t, out, "More: added")
	require.Contains(t, out, "api: example.com/lib/backends/b since v0.2.0:\na new module\n")

	tree.commitMore(t, map[string]string{
		"backends/adapter/a.go": "package adapter\n\nimport \"example.com/lib\"\n\nfunc Name(lib.T) {}\n",
		"lib.go":                "package lib\n\ntype T int\n",
	})
	out, err = api("v0.2.1")
	require.ErrorContains(t, err, "call it a new minor version")
	require.Contains(t, out, "Incompatible changes:\n- Name: removed")
	for _, next := range []string{"", "v0.3.0", "v1.0.0"} {
		_, err = api(next)
		require.NoError(t, err)
	}
}
