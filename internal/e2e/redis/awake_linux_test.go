package redis_test

import (
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// keepAwake keeps the processors busy with work that gives way to all other, until the test
// ends. One that sleeps in each round trip wakes up after 10 to 60 µs, as it happens, and
// those of a service under load do not sleep.
func keepAwake(tb testing.TB) {
	tb.Helper()
	for range runtime.NumCPU() {
		cmd := exec.CommandContext(tb.Context(), "sh", "-c", "while :; do :; done")
		require.NoError(tb, cmd.Start())
		tb.Cleanup(func() { _ = cmd.Wait() }) // the context has killed it
		require.NoError(tb, unix.SchedSetAttr(cmd.Process.Pid, &unix.SchedAttr{
			Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE,
		}, 0))
	}
}
