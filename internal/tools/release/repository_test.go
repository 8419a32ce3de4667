package main

import (
	"os"
	"path"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func thisRepository(t *testing.T) *tree {
	t.Helper()
	tree, err := readTree(t.Context(), "../../..")
	require.NoError(t, err)
	return tree
}

func TestDependabot_updatesEveryModule(t *testing.T) {
	t.Parallel()
	tree := thisRepository(t)
	config, err := os.ReadFile(tree.disk(".github/dependabot.yml"))
	require.NoError(t, err)
	var patterns []string
	for _, match := range regexp.MustCompile(`(?m)^ +- "(/.*)"$`).FindAllStringSubmatch(string(config), -1) {
		patterns = append(patterns, match[1])
	}
	for _, m := range tree.modules {
		require.True(t, slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := path.Match(pattern, "/"+m.dir)
			return ok && err == nil
		}), "dependabot.yml lacks the folder of %s", m.path)
	}
}

// TestWorkflows_pinActions, because whoever owns an action can move its tags.
func TestWorkflows_pinActions(t *testing.T) {
	t.Parallel()
	tree := thisRepository(t)
	uses := regexp.MustCompile(`(?m)^ *(?:- )?uses: *(.*)$`)
	pinned := regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	count := 0
	for _, name := range tree.files {
		if path.Dir(name) != ".github/workflows" {
			continue
		}
		workflow, err := os.ReadFile(tree.disk(name))
		require.NoError(t, err)
		for _, match := range uses.FindAllStringSubmatch(string(workflow), -1) {
			count++
			require.Regexp(t, pinned, match[1])
		}
	}
	require.Positive(t, count)
}
