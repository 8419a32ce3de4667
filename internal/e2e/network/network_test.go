package network_test

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/internal/e2e/network"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that answers each line with itself, and tells of it.
func echo(t *testing.T) (addr string, lines chan string) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	lines = make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for in := bufio.NewScanner(conn); in.Scan(); {
					lines <- in.Text()
					_, _ = conn.Write([]byte(in.Text() + "\n"))
				}
			}()
		}
	}()
	return l.Addr().String(), lines
}

// answer sends a line, and returns the answer, or how the connection has ended. It waits in steps:
// a pause of the process uses up one of them at most.
func answer(conn net.Conn, line string) string {
	const steps, step = 10, 20 * time.Millisecond
	if _, err := conn.Write([]byte(line + "\n")); err != nil {
		return "reset"
	}
	in, got := bufio.NewReader(conn), ""
	for range steps {
		_ = conn.SetReadDeadline(time.Now().Add(step))
		part, err := in.ReadString('\n')
		got += part
		switch timeout, ok := err.(net.Error); { //nolint:errorlint // of a connection
		case err == nil:
			return strings.TrimSpace(got)
		case !ok || !timeout.Timeout():
			return "reset"
		}
	}
	return "nothing"
}

func TestMeet(t *testing.T) {
	t.Parallel()
	for fate, want := range map[network.Fate]struct {
		answer  string
		arrives bool
	}{
		network.Pass:        {"line", true},
		network.Keep:        {"nothing", false},
		network.Lose:        {"nothing", false},
		network.LoseAnswer:  {"nothing", true},
		network.ResetBefore: {"reset", false},
		network.ResetAfter:  {"reset", true},
	} {
		addr, lines := echo(t)
		n, err := network.Start(t.Context(), addr)
		require.NoError(t, err)
		conn := dial(t, n.Addr())
		assert.Equal(t, "hello", answer(conn, "hello"))
		assert.Equal(t, "hello", <-lines)
		n.Meet(func(sent []byte) network.Fate {
			assert.Equal(t, "line\n", string(sent))
			return fate
		})
		assert.Equal(t, want.answer, answer(conn, "line"))
		assert.Equal(t, want.arrives, len(lines) > 0, "fate %d", fate)
		_ = conn.Close()
		if fate == network.Keep { // though the client has hung up
			n.LetGo()
			assert.Equal(t, "line", <-lines)
		}
		require.NoError(t, n.Close())
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	for _, direction := range []network.Direction{network.Up, network.Down} {
		addr, lines := echo(t)
		n, err := network.Start(t.Context(), addr)
		require.NoError(t, err)
		conn := dial(t, n.Addr())
		n.Hold(direction)
		assert.Equal(t, "nothing", answer(conn, "line"))
		assert.Equal(t, direction == network.Down, len(lines) > 0)
		n.Release(direction)
		_ = conn.SetReadDeadline(time.Time{})
		got, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "line\n", got)
		assert.EqualValues(t, len("line\n"), n.Received())

		n.CutOff()
		assert.Equal(t, "reset", answer(conn, "line"))
		assert.Equal(t, "reset", answer(dial(t, n.Addr()), "line"))
		other, _ := echo(t)
		n.Redirect(other)
		assert.Equal(t, "line", answer(dial(t, n.Addr()), "line"))
		require.NoError(t, n.Close())
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(context.WithoutCancel(t.Context()), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
