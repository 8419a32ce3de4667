package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/tier"
)

// serverFaults happen to Redis itself. The client is connected to it directly.
func serverFaults() map[string]fault {
	return map[string]fault{
		"none": {outcome: tier.Applied, applied: yes, strike: nothing},

		// The command waits in the socket, and Redis takes it when it goes on.
		"stopped before the command, and continued": {
			outcome: tier.Unknown, applied: yes, hangs: true,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(func() { assert.NoError(t, s.server.Pause()) })
				return func() { require.NoError(t, s.server.Continue()) }
			},
		},
		"stopped before the command, and killed": {
			outcome: tier.Unknown, server: durable, hangs: true,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(func() { assert.NoError(t, s.server.Pause()) })
				return restart(t, s)
			},
		},

		"killed before the command": {
			outcome: tier.Failed, server: durable,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(s.server.Kill)
				return restart(t, s)
			},
		},
		"killed between the command and its answer": {
			outcome: tier.Unknown, server: durable,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(func() { assert.NoError(t, s.server.Pause()) })
				s.triggers.onceSent(s.server.Kill)
				return restart(t, s)
			},
		},

		"out of memory": {
			outcome: tier.Failed, deleted: tier.Applied,
			server: []string{"--maxmemory-policy", "noeviction"},
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				require.NoError(t, s.server.Admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
				return func() { require.NoError(t, s.server.Admin.ConfigSet(t.Context(), "maxmemory", "0").Err()) }
			},
		},
		"turned into a replica": {
			outcome: tier.Failed,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(func() {
					assert.NoError(t, s.server.Admin.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
				})
				return func() { require.NoError(t, s.server.Admin.ReplicaOf(t.Context(), "no", "one").Err()) }
			},
		},

		// Whether Redis still executes the command of a client that has gone away
		// meanwhile is its own affair.
		"writes paused for long": {
			outcome: tier.Unknown, applied: either, hangs: true,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				pause(t, s, "600000", "WRITE")
				return func() { require.NoError(t, s.server.Admin.ClientUnpause(t.Context()).Err()) }
			},
		},
		// Nothing ends this pause but its time.
		"paused for long": {
			outcome: tier.Unknown, applied: either, hangs: true,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(func() { pause(t, s, "2000", "ALL") })
				return nil
			},
		},
		"writes paused shortly": {
			outcome: tier.Applied, applied: yes,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				pause(t, s, "100", "WRITE")
				return nil
			},
		},
		"paused shortly": {
			outcome: tier.Applied, applied: yes,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				pause(t, s, "100", "ALL")
				return nil
			},
		},
		"busy with a command": {
			outcome: tier.Unknown, applied: yes, hangs: true, server: []string{"--enable-debug-command", "yes"},
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				busy := make(chan error, 1)
				s.triggers.beforeSending(func() {
					ctx := context.WithoutCancel(t.Context())
					go func() { busy <- s.server.Admin.Do(ctx, "debug", "sleep", (4 * soon).Seconds()).Err() }()
					// Until nobody answers: it has begun.
					eventually(t, "Redis is busy", func(ctx context.Context) error {
						ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
						defer cancel()
						if s.server.Admin.Ping(ctx).Err() == nil {
							return assert.AnError
						}
						return nil
					})
				})
				return func() { require.NoError(t, <-busy) }
			},
		},
	}
}

func nothing(*testing.T, *faultFixture) (heal func()) { return nil }

func restart(t *testing.T, s *faultFixture) func() {
	t.Helper()
	return func() { require.NoError(t, s.server.Restart(t.Context())) }
}

func pause(t *testing.T, s *faultFixture, ms, what string) {
	t.Helper()
	assert.NoError(t, s.server.Admin.Do(t.Context(), "client", "pause", ms, what).Err())
}

func TestServerFaults(t *testing.T) {
	t.Parallel()
	faults := serverFaults()
	for name, f := range faults {
		f.direct = true
		faults[name] = f
	}
	runFaults(t, faults)
}
