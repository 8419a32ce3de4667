package redis_test

import (
	"context"
	"strconv"
	"time"

	"github.com/stretchr/testify/assert"
)

// trouble is a fault that lasts for a while.
type trouble struct {
	name  string
	begin func(s *soak, d time.Duration)
	end   func(s *soak) // nil: it ends by itself
}

// troubles are what can happen. None of them lets a command arrive after it was
// given up and a later one was not: that is a limit, see TestLateAttempt.
func troubles() []trouble {
	toxic := func(kind, stream string, attributes map[string]any) trouble {
		return trouble{
			kind + " " + stream,
			func(s *soak, _ time.Duration) { s.proxy.add(s.t, kind, stream, attributes) },
			func(s *soak) { s.proxy.Toxics.ResetToxics(s.ctx) },
		}
	}
	return []trouble{
		readOnly(),
		{"killed", func(s *soak, _ time.Duration) { s.server.Kill() }, func(s *soak) { s.ok(s.server.Restart(s.ctx)) }},
		{"killed, and at once back", func(s *soak, _ time.Duration) { s.ok(s.server.Restart(s.ctx)) }, nil},
		{
			"stopped",
			func(s *soak, _ time.Duration) { s.ok(s.server.Pause()) },
			func(s *soak) { s.ok(s.server.Continue()) },
		},
		{
			"stopped, then killed",
			func(s *soak, _ time.Duration) { s.ok(s.server.Pause()) },
			func(s *soak) { s.ok(s.server.Restart(s.ctx)) },
		},
		{
			"paused", func(s *soak, d time.Duration) {
				s.ok(s.server.Admin.Do(s.ctx, "client", "pause", strconv.FormatInt(d.Milliseconds(), 10), "ALL").Err())
			}, nil,
		},
		{
			"writes paused",
			func(s *soak, _ time.Duration) {
				s.ok(s.server.Admin.Do(s.ctx, "client", "pause", "600000", "WRITE").Err())
			},
			func(s *soak) { s.ok(s.server.Admin.ClientUnpause(s.ctx).Err()) },
		},
		{
			"out of memory",
			func(s *soak, _ time.Duration) { s.ok(s.server.Admin.ConfigSet(s.ctx, "maxmemory", "1").Err()) },
			func(s *soak) { s.ok(s.server.Admin.ConfigSet(s.ctx, "maxmemory", "0").Err()) },
		},
		{"no way", func(s *soak, _ time.Duration) { s.proxy.Stop() }, func(s *soak) { s.ok(s.proxy.Start()) }},
		toxic("timeout", upstream, map[string]any{"timeout": 0}),
		toxic("timeout", downstream, map[string]any{"timeout": 0}),
		toxic("timeout", upstream, map[string]any{"timeout": 50}),
		toxic("timeout", downstream, map[string]any{"timeout": 50}),
		toxic("reset_peer", upstream, map[string]any{"timeout": 0}),
		toxic("reset_peer", downstream, map[string]any{"timeout": 0}),
		toxic("limit_data", upstream, map[string]any{"bytes": 40}),
		toxic("limit_data", downstream, map[string]any{"bytes": 3}),
		toxic("slow_close", downstream, map[string]any{"delay": 50}),
		toxic("latency", downstream, map[string]any{"latency": 20, "jitter": 20}),
		toxic("slicer", upstream, map[string]any{"average_size": 10, "delay": 100}),
	}
}

// readOnly is one that certainly leaves tiers different, when L1 is first.
func readOnly() trouble {
	return trouble{
		"turned into a replica",
		func(s *soak, _ time.Duration) { s.ok(s.server.Admin.ReplicaOf(s.ctx, "127.0.0.1", "1").Err()) },
		func(s *soak) { s.ok(s.server.Admin.ReplicaOf(s.ctx, "no", "one").Err()) },
	}
}

// ok is for the goroutine that makes trouble.
func (s *soak) ok(err error) {
	s.t.Helper()
	assert.NoError(s.t, err)
}

// heal ends a trouble, and waits until Redis answers again.
func (s *soak) heal(x trouble) {
	if x.end != nil {
		x.end(s)
	}
	eventually(s.t, "Redis answers after: "+x.name, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return s.server.Admin.Ping(ctx).Err()
	})
}
