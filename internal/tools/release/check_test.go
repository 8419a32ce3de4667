package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// The miniature modules require no others, so no proxy is asked.
func offline(t *testing.T) {
	t.Helper()
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "")
}

func TestCheck_getsWhatWouldBeReleased(t *testing.T) {
	offline(t)
	var out bytes.Buffer
	require.NoError(t, check(t.Context(), commitFiles(t, repository()), false, &out))
	require.Contains(t, out.String(), "go get example.com/lib/backends/adapter\n")
	require.Contains(t, out.String(), "ok  \texample.com/stranger/examples/readme")
	require.NotContains(t, out.String(), "internal/tool")
}

func TestCheck_failsForTheTreeAsItIs(t *testing.T) {
	offline(t)
	var out bytes.Buffer
	err := check(t.Context(), commitFiles(t, repository()), true, &out)
	require.ErrorContains(t, err, "example.com/lib/backends/adapter@"+checkVersion+" requires")
	require.ErrorContains(t, err, "example.com/lib@v0.0.0: module lookup disabled by GOPROXY=off")
}

func TestCheck_fails(t *testing.T) {
	for _, test := range []struct {
		name, file, text, want string
	}{
		{"a package that does not compile", "backends/adapter/a.go", "package adapter\n\nvar _ int = \"\"\n", "a.go"},
		{"a program with another output", "lib.go", "package lib\n\nfunc Name() string { return \"other\" }\n", "want:"},
		{"a file that another system cannot have", "backends/adapter/NUL.go", "package adapter\n", "NUL.go"},
		{"a replaced module of others", "backends/adapter/go.mod", "module example.com/lib/backends/adapter\n\nreplace example.com/other => ../other\n\nrequire example.com/lib v0.0.0\n", "nobody who requires it does"},
	} {
		t.Run(test.name, func(t *testing.T) {
			offline(t)
			tree := commitFiles(t, repository())
			tree.commitMore(t, map[string]string{test.file: test.text})
			require.ErrorContains(t, check(t.Context(), tree.again(t), false, new(bytes.Buffer)), test.want)
		})
	}
}
