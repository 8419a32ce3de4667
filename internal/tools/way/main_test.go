package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The module has one function that only the operation runs, one that both tests run
// equally often, and one that the operation runs once more.
func TestRun(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "go.mod", "module example.com/walk\n\ngo 1.26\n")
	write(t, root, "walk.go", `package walk

type Walker[T any] struct{ steps int }

func (w *Walker[T]) Step() { w.steps++; log() }

func New() *Walker[int] { log(); return new(Walker[int]) }
`)
	write(t, root, "log.go", "package walk\n\nvar lines int\n\nfunc log() { func() { lines++ }() }\n")
	write(t, root, "walk_test.go", `package walk

import "testing"

func TestWay_New(t *testing.T)  { New() }
func TestWay_Step(t *testing.T) { New().Step() }
func TestOther(t *testing.T)    {}
`)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-v", root}, &out))
	assert.Equal(t, [][]string{
		{"operation", "functions", "files"},
		{"Step", "2", "2"},
		{"log", "log.go"},
		{"Walker.Step", "walk.go"},
	}, words(out.String()))

	out.Reset()
	require.NoError(t, run(t.Context(), []string{root}, &out))
	assert.Equal(t, [][]string{{"operation", "functions", "files"}, {"Step", "2", "2"}}, words(out.String()))
}

func TestRun_NoTests(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "go.mod", "module example.com/walk\n\ngo 1.26\n")
	write(t, root, "walk.go", "package walk\n")
	require.ErrorContains(t, run(t.Context(), []string{root}, new(bytes.Buffer)), "no test is named TestWay_")
}

func TestParseProfile_Errors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mode: set\n":                       "-covermode=count",
		"mode: count\nnothing\n":            "line 2",
		"mode: count\nexample.com/a.go:x\n": "line 2",
	} {
		_, err := parseProfile(strings.NewReader(text))
		require.ErrorContains(t, err, want, text)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func words(table string) (lines [][]string) {
	for line := range strings.Lines(table) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}
