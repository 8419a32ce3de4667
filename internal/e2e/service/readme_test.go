package service_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// alertRow is a row of the README's table: what to alert on, and by which expression.
var alertRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| `(.+)` \\|$")

// readmeAlerts returns the expressions that the README recommends, by their names.
func readmeAlerts(t *testing.T) map[string]string {
	t.Helper()
	root, err := server.Root()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(content), "\n### What to alert on\n")
	require.True(t, found, "the README says what to alert on")
	section, _, _ = strings.Cut(section, "\n#")
	alerts := map[string]string{}
	for _, row := range alertRow.FindAllStringSubmatch(section, -1) {
		alerts[row[1]] = row[2]
	}
	require.NotEmpty(t, alerts)
	return alerts
}
