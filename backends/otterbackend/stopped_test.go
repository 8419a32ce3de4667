//go:build unix

package otterbackend_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

const stoppedEnv = "OTTERBACKEND_STOPPED"

// When a process that was stopped goes on, its clocks have jumped, and no
// goroutine has had the time to notice. The first Get must.
func TestStoppedProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(stoppedEnv) != "" {
		beStopped(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStoppedProcess$") //nolint:gosec // this very test
	// With one processor, other goroutines have to wait for the one that asks.
	cmd.Env = append(os.Environ(), stoppedEnv+"=1", "GOMAXPROCS=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	expiresAt, err := strconv.ParseInt(lines.Text(), 10, 64)
	require.NoError(t, err, lines.Text())
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	<-time.After(time.Until(time.Unix(0, expiresAt)))
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	require.True(t, lines.Scan())
	require.Equal(t, "hit: false", lines.Text())
	for lines.Scan() { //nolint:revive // the rest is the test's own
	}
	require.NoError(t, cmd.Wait())
}

// beStopped asks for an entry all the time, and prints the result of the first
// call after the entry's end.
func beStopped(t *testing.T) {
	t.Helper()
	b := open(t)
	expiresAt := time.Now().Add(200 * time.Millisecond)
	mustSet(t, b, "k", backends.Entry[string]{ExpiresAt: expiresAt})
	fmt.Println(expiresAt.UnixNano())
	for {
		after := !time.Now().Before(expiresAt)
		_, ok, err := b.Get(t.Context(), "k")
		require.NoError(t, err)
		if after {
			fmt.Println("hit:", ok)
			return
		}
	}
}
