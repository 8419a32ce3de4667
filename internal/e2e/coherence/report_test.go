package coherence

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

// report logs figures, and adds them to the file TIERCACHE_REPORT, which is printed also
// when the test passes.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	path := os.Getenv("TIERCACHE_REPORT")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // whoever runs the tests chooses it
	if !assert.NoError(t, err) {
		return
	}
	_, err = fmt.Fprintf(f, "%s: %s\n", t.Name(), text)
	assert.NoError(t, err)
	assert.NoError(t, f.Close())
}
