package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runProgram runs the program as main does.
func runProgram(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

var (
	escapes   = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	durations = regexp.MustCompile(` +[0-9.]+(ns|µs|ms|s)\b`)
)

// The file has the whole output, with "_" for a duration and the spaces before it.
func TestTree(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/tree.txt")
	require.NoError(t, err)

	for name, args := range map[string][]string{
		"piped":    {"-all"},
		"coloured": {"-all", "-color", "always", "-exporter=tree"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := runProgram(t, args...)
			assert.Equal(t, statusOK, status)
			assert.Empty(t, stderr)
			assert.Equal(t, name == "coloured", strings.Contains(stdout, "\x1b"), "escape sequences")
			plain := durations.ReplaceAllString(escapes.ReplaceAllString(stdout, ""), " _")
			assert.Equal(t, string(want), plain)
		})
	}
}

// A first look fits on a screen of 24 lines, with the line of the command, and 80 columns.
func TestFirstLook(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/first.txt")
	require.NoError(t, err)
	status, stdout, stderr := runProgram(t)
	assert.Equal(t, statusOK, status)
	assert.Empty(t, stderr)
	assert.LessOrEqual(t, strings.Count(stdout, "\n"), 22, stdout)
	for line := range strings.Lines(stdout) {
		assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), screenWidth, line)
	}
	assert.Equal(t, string(want), durations.ReplaceAllString(stdout, " _"))
}

// Each scenario can be shown alone: its block is the one of -all, but for line breaks.
func TestScene(t *testing.T) {
	t.Parallel()
	_, all, _ := runProgram(t, "-all")
	words := func(text string) string {
		return strings.Join(strings.Fields(durations.ReplaceAllString(text, " _")), " ")
	}
	for i, sc := range scenarios() {
		t.Run(sc.title, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := runProgram(t, "-scene", strconv.Itoa(i+1))
			assert.Equal(t, statusOK, status)
			assert.Empty(t, stderr)
			_, block, found := strings.Cut(stdout, fmt.Sprintf("\n\n%d. %s\n", i+1, sc.title))
			require.True(t, found, stdout)
			block, _, found = strings.Cut(block, "\n\nSummary\n")
			require.True(t, found, stdout)
			assert.Contains(t, words(all), fmt.Sprintf("%d. %s %s", i+1, sc.title, words(block)))
			assert.Equal(t, 1, strings.Count(stdout, "   hold   "), "no other scenario is shown")
			assert.Contains(t, stdout, "Unreported: 0.")
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := runProgram(t, "-list")
	assert.Equal(t, statusOK, status)
	assert.Empty(t, stderr)
	assert.Equal(t, len(scenarios()), strings.Count(stdout, "\n"))
	assert.Contains(t, stdout, "  2. L2 refuses the write\n")
}

func TestWrap(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"one two", "three"}, wrap("one two three", 7))
	assert.Equal(t, []string{"one two", "three"}, wrap("one two three", 12))
	assert.Equal(t, []string{"überlänge", "x"}, wrap("überlänge x", 9))
	assert.Equal(t, []string{"unbreakable"}, wrap("unbreakable", 4))
	assert.Equal(t, []string{"one two"}, wrap("one two", -3))
}

func TestStdout(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := runProgram(t, "-exporter", "stdout")
	assert.Equal(t, statusOK, status)
	assert.NotContains(t, stdout+stderr, "\x1b")
	assert.Contains(t, stderr, "5 inconsistencies were reported")
	assert.NotContains(t, stderr, "└─", "the spans are on standard output")

	events := 0
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines {
		var span struct {
			Name   string
			Events []struct{ Name string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &span), line)
		assert.NotEmpty(t, span.Name)
		events += len(span.Events)
	}
	assert.Len(t, lines, spansInAll)
	assert.Equal(t, 5, events)
}

// spansInAll counts the spans of all scenarios: nine writes, each with the
// request, the operation and a call of either tier; a read with a refill and one
// without; a load with a write of its own, and one that is shared; a write if absent and
// one that is refused; an update in two tries and one in one; a batch; and a write and its
// repair, which calls each tier twice.
const spansInAll = 9*4 + 4 + 3 + 7 + 2 + (4 + 7) + (10 + 6) + 4 + (4 + 5)

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"unknown flag":     {[]string{"-nonsense"}, "-nonsense"},
		"unknown exporter": {[]string{"-exporter", "zipkin"}, `invalid value "zipkin" for flag -exporter: choose one of tree, stdout, otlp`},
		"no exporter":      {[]string{"-exporter"}, "flag needs an argument: -exporter"},
		"unknown colour":   {[]string{"-color=red"}, "choose one of auto, always, never"},
		"no such scenario": {[]string{"-scene", "99"}, "invalid value \"99\" for flag -scene: choose a number from 1 to "},
		"no number":        {[]string{"-scene", "first"}, "-list prints the titles"},
		"two choices":      {[]string{"-all", "-scene", "1"}, "choose one of -all, -scene and -list"},
		"argument":         {[]string{"tree"}, `unexpected argument "tree"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := runProgram(t, tt.args...)
			assert.Equal(t, statusUsage, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, "quickstart: ")
			assert.Contains(t, stderr, tt.says)
			assert.Contains(t, stderr, "[-exporter tree|stdout|otlp] [-color auto|always|never]")
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-h", "--help"} {
		status, stdout, stderr := runProgram(t, flag)
		assert.Equal(t, statusOK, status)
		assert.Equal(t, usage, stdout)
		assert.Empty(t, stderr)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, statusInterrupted, run(ctx, []string{"-all"}, &out, &errs))
	assert.Equal(t, "quickstart: interrupted\n", errs.String())
	assert.NotContains(t, out.String(), "1. ")
}

func TestInterruptedBetweenScenarios(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &cancelAfter{text: "\n2. ", cancel: cancel}
	var errs bytes.Buffer
	assert.Equal(t, statusInterrupted, run(ctx, []string{"-all"}, out, &errs))
	assert.Equal(t, "quickstart: interrupted\n", errs.String())
	assert.Contains(t, out.String(), "they differ")
	assert.NotContains(t, out.String(), "3. ")
}

// cancelAfter is a writer that cancels once it was given a text.
type cancelAfter struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (c *cancelAfter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestLeavesNoFilesBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	status, _, _ := runProgram(t, "-all")
	require.Equal(t, statusOK, status)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A tier that is changed behind the cache's back is the one thing that nobody
// reports, and the summary finds it.
func TestSummaryFindsSilentDifference(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tel, err := newTelemetry(ctx, exporterTree, nil)
	require.NoError(t, err)
	defer tel.shutdown(ctx)
	svc, err := newService(tel)
	require.NoError(t, err)
	defer func() { require.NoError(t, svc.close(ctx)) }()

	var out bytes.Buffer
	r := newReport(&out)
	sc := scenarios()[0]
	_, err = sc.run(ctx, svc, sc.key)
	require.NoError(t, err)
	require.NoError(t, r.scenario(ctx, 1, sc, "", nil, tel.newSpans(), svc.tiers))
	require.NoError(t, svc.tiers.l2.Delete(ctx, sc.key))

	assert.EqualError(t, r.summary(ctx, tel, len(svc.inconsistencies())), "keys that differ and were not reported (42)")
	assert.Contains(t, out.String(), "Keys that differ now: 1 of 1 (42). Unreported: 1.")
}
