package redis_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// triggers are points in the course of a write at which a test makes something
// happen: once each, and only when it was asked for. They are counted by the
// client's attempts, so they are the same under every policy.
type triggers struct {
	mu sync.Mutex
	// before is called when a SET or DEL is about to be given to a connection,
	// which is not chosen yet: with L1 first, between the tiers.
	before func()
	// sent is called when the command is in the socket, before anybody waits for
	// the answer.
	sent func()
}

func (m *triggers) beforeSending(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = f
}

func (m *triggers) onceSent(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = f
}

func (m *triggers) strike(which *func()) {
	m.mu.Lock()
	f := *which
	*which = nil
	m.mu.Unlock()
	if f != nil {
		f()
	}
}

var _ redis.Hook = (*triggers)(nil)

func (*triggers) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *triggers) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name == "set" || name == "del" {
			m.strike(&m.before)
		}
		return next(ctx, cmd)
	}
}

func (*triggers) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (m *triggers) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &watched{conn.(*net.TCPConn), m}, nil
}

// watched is a connection that notices writes. In all else it is one of TCP, so
// that go-redis can see when the other end has closed it.
type watched struct {
	*net.TCPConn
	triggers *triggers
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.TCPConn.Write(b)
	if b = bytes.ToLower(b); bytes.Contains(b, []byte("\r\nset\r\n")) || bytes.Contains(b, []byte("\r\ndel\r\n")) {
		w.triggers.strike(&w.triggers.sent)
	}
	return n, err
}

// clientOptions are those of a client that makes one attempt, unless a test
// changes it, so that one fault is one outcome.
func clientOptions(addr string) *redis.Options {
	return &redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
		Protocol: 2, DisableIdentity: true, PoolSize: 8, PipelinePoolSize: -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func startRedis(tb testing.TB, args ...string) *server.Redis {
	tb.Helper()
	s, err := server.StartRedis(tb.Context(), args...)
	require.NoError(tb, err)
	tb.Cleanup(s.Stop)
	return s
}

// durable makes a server keep what it has answered, even when it is killed: it is
// in the system's hands before the answer.
var durable = []string{"--appendonly", "yes", "--appendfsync", "no"}
