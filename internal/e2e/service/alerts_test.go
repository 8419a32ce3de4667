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

// alertRow is a row of the table of docs/operations.md: what to alert on, and by which expression.
var alertRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| `(.+)` \\|$")

// documentedAlerts returns the expressions that docs/operations.md recommends, by their names.
func documentedAlerts(t *testing.T) map[string]string {
	t.Helper()
	root, err := server.Root()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(content), "\n## What to alert on\n")
	require.True(t, found, "docs/operations.md says what to alert on")
	section, _, _ = strings.Cut(section, "\n#")
	alerts := map[string]string{}
	for _, row := range alertRow.FindAllStringSubmatch(section, -1) {
		alerts[row[1]] = row[2]
	}
	require.NotEmpty(t, alerts)
	return alerts
}
