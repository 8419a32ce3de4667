package otterbackend_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// BenchmarkWriteTail measures the writes of 16 users who each wait for a server after
// every Set, without a store, with otter's upkeep in a goroutine for each Set, and as the backend runs it:
// the 99th percentile and the median, in microseconds. The server is an echo on
// loopback, in a process of its own.
func BenchmarkWriteTail(b *testing.B) {
	for _, upkeep := range []struct {
		name string
		open func(b *testing.B) backends.Backend[[]byte]
	}{
		{"none", func(*testing.B) backends.Backend[[]byte] { return nothing{} }},
		{"goroutine", func(b *testing.B) backends.Backend[[]byte] {
			b.Helper()
			cache := otter.Must(&otter.Options[string, otterbackend.Item[[]byte]]{
				MaximumSize: 10_000, ExpiryCalculator: otterbackend.Expiry[[]byte](),
				Executor: func(upkeep func()) { go upkeep() },
			})
			b.Cleanup(func() { cache.StopAllGoroutines() })
			store, err := otterbackend.FromCache(cache)
			if err != nil {
				b.Fatal(err)
			}
			return store
		}},
		{"backend", func(b *testing.B) backends.Backend[[]byte] {
			b.Helper()
			store, err := otterbackend.New[[]byte]()
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = store.Close() })
			return store
		}},
	} {
		b.Run("upkeep="+upkeep.name, func(b *testing.B) {
			measureWrites(b, upkeep.open(b))
		})
	}
}

// nothing keeps nothing.
type nothing struct{ backends.Backend[[]byte] }

func (nothing) Set(context.Context, string, backends.Entry[[]byte]) error { return nil }

func measureWrites(b *testing.B, store backends.Backend[[]byte]) {
	b.Helper()
	const users = 16
	address := startEcho(b)
	connections := make([]net.Conn, users)
	for i := range connections {
		conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		connections[i] = conn
	}
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
	}
	took := make([][]time.Duration, users)
	b.ResetTimer()
	var group sync.WaitGroup
	for u, conn := range connections {
		group.Go(func() {
			message := make([]byte, 1000)
			for i := range b.N/users + 1 {
				begin := time.Now()
				_, werr := conn.Write(message)
				_, rerr := io.ReadFull(conn, message)
				_ = store.Set(b.Context(), keys[(i*7919+u*104729)%len(keys)], backends.Entry[[]byte]{Value: message[:8]})
				if werr != nil || rerr != nil {
					b.Error(werr, rerr)
					return
				}
				took[u] = append(took[u], time.Since(begin))
			}
		})
	}
	group.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1000, "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1000, "p99-µs")
	runtime.KeepAlive(keys)
}

const echoEnv = "OTTERBACKEND_ECHO"

// TestEcho is the server of BenchmarkWriteTail, in a process of its own.
func TestEcho(t *testing.T) {
	t.Parallel()
	if os.Getenv(echoEnv) == "" {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", startEcho(t))
		require.NoError(t, err)
		_, err = conn.Write([]byte("v"))
		require.NoError(t, err)
		got := make([]byte, 1)
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, "v", string(got))
		require.NoError(t, conn.Close())
		return
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println(listener.Addr())
	go func() { // the other end of the pipe is closed when the client ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = listener.Close()
	}()
	var group sync.WaitGroup
	defer group.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		group.Go(func() {
			_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn})
			_ = conn.Close()
		})
	}
}

// startEcho starts a server of one thread that returns all that it is sent.
func startEcho(tb testing.TB) (address string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^TestEcho$") //nolint:gosec // this very test
	cmd.Env = append(os.Environ(), echoEnv+"=1", "GOMAXPROCS=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(tb, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	require.True(tb, lines.Scan())
	return lines.Text()
}
