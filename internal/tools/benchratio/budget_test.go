package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The budgets of this repository parse, and a check of them can fail.
func TestRepositoryBudgets(t *testing.T) {
	t.Parallel()
	budgets, err := readBudgets("budgets.txt")
	require.NoError(t, err)
	assert.True(t, anyLimit(budgets))
}

func TestBadBudgets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ budgets, want string }{
		"empty":              {"# Nothing.\n", "names no benchmarks"},
		"no limits":          {"A B\nC D\n", "has no limits to check"},
		"no baseline":        {"A B time<=2x\nC\n", `:2: "C" has no baseline`},
		"bad pattern":        {"A[ B\n", "is not a pattern"},
		"not a limit":        {"A B time=2x\n", "is not of the form"},
		"unknown quantity":   {"A B bytes<=0\n", "neither time nor allocs"},
		"repeated quantity":  {"A B time<=2x time<=3x\n", "another limit of this quantity"},
		"not a number":       {"A B allocs<=few\n", "is not a number"},
		"NaN":                {"A B allocs<=NaN\n", "is not a number"},
		"negative":           {"A B allocs<=-1\n", "at least 0"},
		"infinite":           {"A B time<=Infx\n", "is not a number"},
		"absolute time":      {"A B time<=100\n", "multiple of the baseline"},
		"pattern of nothing": {"Sat/* ByHand/set/telemetry=on time<=9x\n", "Sat/*: not in the input"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "budgets.txt")
			require.NoError(t, os.WriteFile(file, []byte(test.budgets), 0o600))
			status, _, stderr := ratio(t, "", "-budgets", file, "-check", testResults)
			assert.NotEqual(t, exitOK, status)
			assert.Contains(t, stderr, test.want)
		})
	}
}

// A limit on a pattern holds for every benchmark that it matches.
func TestPatternWithLimit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "budgets.txt")
	require.NoError(t, os.WriteFile(file, []byte("Set/*/telemetry=on ByHand/set/telemetry=on time<=2x\n"), 0o600))
	status, _, stderr := ratio(t, "", "-budgets", file, "-check", testResults)
	assert.Equal(t, exitExceeded, status)
	assert.Equal(t, "benchratio: Set/policy=race/telemetry=on: "+
		"takes 3.00x the time of ByHand/set/telemetry=on, the budget is 2x\n", stderr)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"help":            {[]string{"-help"}, exitOK, "Usage of benchratio"},
		"unknown flag":    {[]string{"-nonsense"}, exitUsage, "-nonsense"},
		"no budgets":      {nil, exitUsage, "-budgets is required"},
		"missing budgets": {[]string{"-budgets", "testdata/absent"}, exitUsage, "testdata/absent"},
		"missing results": {[]string{"-budgets", testBudgets, "testdata/absent"}, exitUsage, "testdata/absent"},
		"empty input":     {[]string{"-budgets", testBudgets}, exitUsage, "no benchmark results"},
		"small room":      {[]string{"-budgets", testBudgets, "-room", "0.5"}, exitUsage, "at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := ratio(t, "", test.args...)
			assert.Equal(t, test.status, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.stderr)
		})
	}
}
