package service_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// program is the folder of the service, once it is built.
var program struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if program.dir != "" {
		_ = os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// build builds the service, once for all tests, and returns the path of its program.
func build(t *testing.T) string {
	t.Helper()
	program.once.Do(func() { program.dir, program.err = buildService() })
	require.NoError(t, program.err, "the service does not build")
	return filepath.Join(program.dir, "service")
}

// buildService has a context of its own: the first test builds for all.
func buildService() (dir string, err error) {
	examples, err := example()
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "tiercache-e2e-"); err != nil {
		return "", err
	}
	build := exec.CommandContext(context.Background(), //nolint:usetesting // see above
		"go", "build", "-C", examples, "-buildvcs=false", "-o", dir+string(filepath.Separator), "./service")
	build.Env = append(os.Environ(), "GOWORK=off") // as the Makefile has it
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
}

// example returns the path of a file or folder of the module of examples.
func example(elements ...string) (string, error) {
	root, err := server.Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root, "examples"}, elements...)...), nil
}
