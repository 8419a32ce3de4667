package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// output runs a command in dir, with more variables of the environment, and returns its standard
// output. An error quotes all that the command printed.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the callers name git, go and apidiff
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out), nil
}

func (t *tree) git(ctx context.Context, args ...string) (string, error) {
	out, err := output(ctx, t.root, nil, "git", args...)
	return strings.TrimSpace(out), err
}
