package redisbackend_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// benchClient is a client of a server on loopback that answers +OK to all but the first
// command, which is HELLO. It costs so little that the backend's own cost shows.
func benchClient(tb testing.TB) *redis.Client {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveOK(conn)
		}
	}()
	client := redis.NewClient(&redis.Options{
		Addr: listener.Addr().String(), DisableIdentity: true, Protocol: 2, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func serveOK(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReaderSize(conn, 64<<10)
	reply := []byte("-ERR unknown command\r\n")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		for range atoi(line[1:]) {
			line, err = r.ReadSlice('\n')
			if err != nil {
				return
			}
			if _, err = r.Discard(atoi(line[1:]) + 2); err != nil {
				return
			}
		}
		if _, err := conn.Write(reply); err != nil {
			return
		}
		reply = []byte("+OK\r\n")
	}
}

func atoi(digits []byte) int {
	n, _ := strconv.Atoi(string(bytes.TrimSpace(digits)))
	return n
}

// sets are the same work done by the backend and by the client alone.
func sets(tb testing.TB, client *redis.Client, size int) []struct {
	name string
	set  func(ctx context.Context) error
} {
	tb.Helper()
	data := make([]byte, size)
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
	if err != nil {
		tb.Fatal(err)
	}
	entry := backends.Entry[[]byte]{Value: data, ExpiresAt: time.Now().Add(time.Hour)}
	forever := backends.Entry[[]byte]{Value: data}
	key := "key"
	return []struct {
		name string
		set  func(ctx context.Context) error
	}{
		{"client/expiry=hour", func(ctx context.Context) error {
			return client.Set(ctx, key, data, time.Hour+time.Millisecond).Err()
		}},
		{"backend/expiry=hour", func(ctx context.Context) error { return b.Set(ctx, key, entry) }},
		{"client/expiry=never", func(ctx context.Context) error { return client.Set(ctx, key, data, 0).Err() }},
		{"backend/expiry=never", func(ctx context.Context) error { return b.Set(ctx, key, forever) }},
	}
}

func BenchmarkSet(b *testing.B) {
	for _, size := range []int{64, 4096} {
		for _, s := range sets(b, benchClient(b), size) {
			b.Run("by="+s.name+"/size="+strconv.Itoa(size), func(b *testing.B) {
				ctx := b.Context()
				b.ReportAllocs()
				for b.Loop() {
					if err := s.set(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A Set costs no more allocations than the client alone: the bytes with the header
// make up for the arguments, which are a part of the command.
func TestSetAllocs(t *testing.T) {
	work := sets(t, benchClient(t), 64)
	for i := 0; i < len(work); i += 2 {
		bare, backend := work[i], work[i+1]
		allocs := func(set func(ctx context.Context) error) float64 {
			return testing.AllocsPerRun(200, func() {
				if err := set(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		}
		by, want := allocs(backend.set), allocs(bare.set)
		if by > want {
			t.Errorf("%s: %v allocations, want at most %v", backend.name, by, want)
		}
	}
}
