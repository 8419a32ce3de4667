package stall_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/stall"
)

func TestWatch(t *testing.T) { //nolint:paralleltest // it stops the process
	stalled := stall.Watch(t)
	begin := time.Now()
	before := stalled()
	script := fmt.Sprintf("kill -STOP %[1]d; sleep 0.5; kill -CONT %[1]d", os.Getpid())
	require.NoError(t, exec.CommandContext(t.Context(), "sh", "-c", script).Run()) //nolint:gosec // the number of this process
	took := time.Since(begin)
	assert.GreaterOrEqual(t, stalled()-before, 400*time.Millisecond)
	assert.LessOrEqual(t, stalled()-before, took)
}
