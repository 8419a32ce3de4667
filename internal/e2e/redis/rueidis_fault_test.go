package redis_test

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/tier"
)

// overRueidis returns a backend whose client has one connection and makes one attempt.
func (s *faultFixture) overRueidis(t *testing.T, addr string, m *triggers) *rueidisbackend.Backend {
	t.Helper()
	client := newRueidis(t, rueidis.ClientOption{
		InitAddress: []string{addr}, ForceSingleClient: true, PipelineMultiplex: -1,
		DialCtxFn: func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return m.dial(ctx, "tcp", addr)
		},
	})
	s.refused = func() {
		assert.Eventually(t, func() bool {
			var failed *net.OpError
			return errors.As(client.Do(context.WithoutCancel(t.Context()), client.B().Ping().Build()).Error(), &failed) && failed.Op == "dial"
		}, patience, interval)
	}
	b, err := rueidisbackend.New(triggered{client, m}, rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithRetries(0))
	require.NoError(t, err)
	return b
}

// triggered is a client that strikes before it sends a write.
type triggered struct {
	rueidis.Client
	triggers *triggers
}

// Do implements [rueidis.Client].
func (c triggered) Do(ctx context.Context, command rueidis.Completed) rueidis.RedisResult {
	if name := command.Commands()[0]; name == "SET" || name == "DEL" {
		c.triggers.strike(&c.triggers.before)
	}
	return c.Client.Do(ctx, command)
}

// What happens on the way to Redis and in Redis itself has the outcomes that it has by
// go-redis, with the two exceptions below.
func TestRueidis_Faults(t *testing.T) {
	t.Parallel()
	faults := networkFaults()
	for name, f := range serverFaults() {
		f.direct = true
		faults["server: "+name] = f
	}
	// Here the client has noticed that its connection is lost. Until then the outcome is
	// unknown: nothing tells what has become of a command that waits for the connection.
	faults["no way to the server"] = fault{
		outcome: tier.Failed,
		strike: func(t *testing.T, s *faultFixture) func() {
			t.Helper()
			s.triggers.beforeSending(func() {
				s.proxy.Stop()
				s.refused()
			})
			return func() { assert.NoError(t, s.proxy.Start()) }
		},
	}
	faults["server: killed before the command"] = fault{
		outcome: tier.Failed, server: durable, direct: true,
		strike: func(t *testing.T, s *faultFixture) func() {
			t.Helper()
			s.triggers.beforeSending(func() {
				s.server.Kill()
				s.refused()
			})
			return restart(t, s)
		},
	}
	for name, f := range maps.Clone(faults) {
		f.rueidis = true
		faults[name] = f
	}
	runFaults(t, faults)
}
