package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testBudgets = "testdata/budgets.txt"
	testResults = "testdata/good.txt"
)

// ratio runs the program on an input and returns what the caller would see.
func ratio(t *testing.T, input string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(input), &out, &errs)
	return status, out.String(), errs.String()
}

// goodResults returns the results in which every budget of testBudgets is met.
func goodResults(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(testResults)
	require.NoError(t, err)
	return string(text)
}

// The second round of the input is ten times as slow as the others on both
// sides, and one repetition of one side alone is an outlier. Neither moves the
// median of the ratios.
func TestTable(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := ratio(t, "", "-budgets", testBudgets, "-check", testResults)
	assert.Equal(t, exitOK, status)
	assert.Empty(t, stderr)
	assert.Equal(t, strings.Join([]string{
		"benchmark                            baseline                  ns/op  baseline  ratio  limit  allocs/op  baseline  limit  result",
		"Set/policy=sequential/telemetry=off  ByHand/set/telemetry=off  800    40.0      2.20x  2.5x   0          0         0      ok",
		"Set/policy=sequential/telemetry=on   ByHand/set/telemetry=on   1100   1000      1.10x  1.15x  9          9         1x     ok",
		"Set/policy=race/telemetry=on         ByHand/set/telemetry=on   3000   1000      3.00x  -      12         9         -      -",
		"",
	}, "\n"), stdout)
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	_, fromFile, _ := ratio(t, "", "-budgets", testBudgets, testResults)
	_, fromStdin, _ := ratio(t, goodResults(t), "-budgets", testBudgets)
	assert.NotEmpty(t, fromFile)
	assert.Equal(t, fromFile, fromStdin)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		old, replacement string // Applied to the results in which all is well.
		want             string // What standard error says.
	}{
		"time": {
			"1100 ns/op", "1200 ns/op",
			"Set/policy=sequential/telemetry=on: takes 1.20x the time of ByHand/set/telemetry=on, the budget is 1.15x",
		},
		"absolute allocations": {
			"80.0 ns/op	       0 B/op	       0 allocs/op\n", "80.0 ns/op	       8 B/op	       1 allocs/op\n",
			"Set/policy=sequential/telemetry=off: makes 1 allocations, ByHand/set/telemetry=off makes 0, the budget is 0",
		},
		"relative allocations": {
			"1100 ns/op	     512 B/op	       9 allocs/op", "1100 ns/op	     512 B/op	      10 allocs/op",
			"Set/policy=sequential/telemetry=on: makes 10 allocations, ByHand/set/telemetry=on makes 9, the budget is 1x",
		},
		"missing benchmark": {
			"BenchmarkSet/policy=sequential/telemetry=off", "BenchmarkSet/policy=default/telemetry=off",
			"Set/policy=sequential/telemetry=off: not in the input",
		},
		"missing baseline": {
			"BenchmarkByHand/set/telemetry=off", "BenchmarkByHand/write/telemetry=off",
			"Set/policy=sequential/telemetry=off: its baseline ByHand/set/telemetry=off is not in the input",
		},
		"missing allocations": {
			"	     512 B/op	       9 allocs/op", "",
			"Set/policy=sequential/telemetry=on: it or its baseline ByHand/set/telemetry=on has no allocs/op",
		},
		"missing repetition": {
			"BenchmarkSet/policy=sequential/telemetry=on-8 	 100000	     11000 ns/op", "BenchmarkOther 1 1 ns/op",
			"Set/policy=sequential/telemetry=on: has 2 repetitions, its baseline ByHand/set/telemetry=on has 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input := edit(t, goodResults(t), test.old, test.replacement)

			status, stdout, stderr := ratio(t, input, "-budgets", testBudgets, "-check")
			assert.Equal(t, exitExceeded, status)
			assert.Contains(t, stderr, "benchratio: "+test.want)
			assert.Regexp(t, "(?m) (OVER|MISSING)$", stdout)

			// Without -check the same is said, but nothing fails.
			status, plain, stderr := ratio(t, input, "-budgets", testBudgets)
			assert.Equal(t, exitOK, status)
			assert.Contains(t, stderr, test.want)
			assert.Equal(t, stdout, plain)
		})
	}
}

// edit replaces every occurrence of a text that must be there.
func edit(t *testing.T, text, old, replacement string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.ReplaceAll(text, old, replacement)
}

// One allocation in most of the repetitions is over a budget of none; in one
// repetition of three it is noise.
func TestMedianOfAllocations(t *testing.T) {
	t.Parallel()
	input := edit(t, goodResults(t), "880.0 ns/op	       0 B/op	       0 allocs", "880.0 ns/op	       8 B/op	       1 allocs")
	status, _, _ := ratio(t, input, "-budgets", testBudgets, "-check")
	assert.Equal(t, exitOK, status)

	input = edit(t, input, "800.0 ns/op	       0 B/op	       0 allocs", "800.0 ns/op	       8 B/op	       1 allocs")
	status, _, _ = ratio(t, input, "-budgets", testBudgets, "-check")
	assert.Equal(t, exitExceeded, status)
}

func TestRoom(t *testing.T) {
	t.Parallel()
	slow := edit(t, goodResults(t), "1100 ns/op", "1300 ns/op")
	status, stdout, _ := ratio(t, slow, "-budgets", testBudgets, "-check", "-room", "1.15")
	assert.Equal(t, exitOK, status, "1.30x is within 1.15 times 1.15x")
	assert.Contains(t, stdout, "widened by the factor 1.15")

	slower := edit(t, goodResults(t), "1100 ns/op", "1330 ns/op")
	status, _, stderr := ratio(t, slower, "-budgets", testBudgets, "-check", "-room", "1.15")
	assert.Equal(t, exitExceeded, status)
	assert.Contains(t, stderr, "the budget is 1.15x (1.32x with room for noise)")

	allocates := edit(t, goodResults(t), "       9 allocs/op\nBenchmarkSet/policy=race", "      10 allocs/op\nBenchmarkSet/policy=race")
	status, _, _ = ratio(t, allocates, "-budgets", testBudgets, "-check", "-room", "2")
	assert.Equal(t, exitExceeded, status, "room is not for allocations")
}

// A benchmark that runs on one processor has no suffix.
func TestGOMAXPROCS(t *testing.T) {
	t.Parallel()
	status, _, stderr := ratio(t, edit(t, goodResults(t), "-8", ""), "-budgets", testBudgets, "-check")
	assert.Equal(t, exitOK, status, stderr)

	mixed := goodResults(t) + edit(t, goodResults(t), "-8", "-4")
	status, _, stderr = ratio(t, mixed, "-budgets", testBudgets, "-check")
	assert.Equal(t, exitUsage, status)
	assert.Contains(t, stderr, "two values of GOMAXPROCS")
}
