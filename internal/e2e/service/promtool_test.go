package service_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// deployed returns the path of a file that the example gives to Prometheus.
func deployed(t *testing.T, name string) string {
	t.Helper()
	path, err := example("service", "deploy", "prometheus", name)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err)
	return path
}

// TestPromtool lets Prometheus' own checker judge what the example deploys.
func TestPromtool(t *testing.T) {
	t.Parallel()
	tests, err := filepath.Glob(filepath.Join(deployed(t, "tests"), "*_test.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	for name, args := range map[string][]string{
		"the rules":         {"check", "rules", deployed(t, "rules.yml")},
		"their tests":       append([]string{"test", "rules"}, tests...),
		"the configuration": {"check", "config", deployed(t, "prometheus.yml")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := server.Promtool(t.Context(), args...)
			assert.NoError(t, err, out)
		})
	}
}
