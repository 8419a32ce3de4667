package redisbackend_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

const secret = "hunter2"

// outcome is that of one write.
type outcome struct {
	acts  []act
	dials []error
	opts  []redisbackend.Option

	succeeds  bool
	certain   bool
	applied   bool // whether the server really has it, which need not be known
	attempts  int
	errorType string
}

func lost(errorType string, applied bool, attempts int, acts ...act) outcome {
	return outcome{acts: acts, applied: applied, attempts: attempts, errorType: errorType}
}

func refused(errorType string, attempts int, acts ...act) outcome {
	return outcome{acts: acts, certain: true, attempts: attempts, errorType: errorType}
}

func done(acts ...act) outcome { return outcome{acts: acts, succeeds: true, applied: true} }

func (o outcome) dialing(dials ...error) outcome {
	o.dials = dials
	return o
}

func (o outcome) with(opts ...redisbackend.Option) outcome {
	o.opts = opts
	return o
}

// The client repeats up to three times unless a case says otherwise.
var outcomes = map[string]outcome{
	"at once": done(),

	// One attempt. A write that may have been applied is not repeated, although it
	// could be.
	"lost after it was applied":  lost("connection_lost", true, 1, applyThenDrop),
	"lost before it was applied": lost("connection_lost", false, 1, drop),
	"no answer, applied":         lost("timeout", true, 1, applyThenHang),
	"no answer, not applied":     lost("timeout", false, 1, hang),
	"refused connection":         refused("connection_refused", 1).dialing(errRefused).with(redisbackend.WithWriteRetries(0)),
	"an odd error, applied":      lost("ERR", true, 1, applyThenAnswer("ERR upstream failure")),
	"an odd word, applied":       lost("redis_error", true, 1, applyThenAnswer("hunter2 is what it is")),
	"OOM":                        refused("OOM", 1, answer("OOM command not allowed")),
	"WRONGTYPE":                  refused("WRONGTYPE", 1, answer("WRONGTYPE Operation against a key")),
	"NOPERM":                     refused("NOPERM", 1, answer("NOPERM no permissions for 'hunter2'")),
	"NOAUTH":                     refused("NOAUTH", 1, answer("NOAUTH Authentication required.")),
	"MISCONF":                    refused("MISCONF", 1, answer("MISCONF Redis is configured to save")),
	"MOVED":                      refused("MOVED", 1, answer("MOVED 3999 10.0.0.1:6381")),
	"ASK":                        refused("ASK", 1, answer("ASK 3999 10.0.0.1:6381")),
	"CROSSSLOT":                  refused("CROSSSLOT", 1, answer("CROSSSLOT Keys in request")),
	"BUSY":                       refused("BUSY", 1, answer("BUSY Redis is busy running a script")),
	"unknown command":            refused("ERR", 1, answer("ERR unknown command 'set', with args beginning with: 'hunter2'")),
	"too long for the server":    refused("ERR", 1, answer("ERR string exceeds maximum allowed size (proto-max-bulk-len)")),

	// Refusals that may pass are repeated, and refused for good in the end.
	"READONLY":         refused("READONLY", 4, repeat(4, answer("READONLY You can't write"))...),
	"LOADING":          refused("LOADING", 4, repeat(4, answer("LOADING Redis is loading"))...),
	"CLUSTERDOWN":      refused("CLUSTERDOWN", 4, repeat(4, answer("CLUSTERDOWN Hash slot not served"))...),
	"MASTERDOWN":       refused("MASTERDOWN", 4, repeat(4, answer("MASTERDOWN Link with MASTER is down"))...),
	"TRYAGAIN":         refused("TRYAGAIN", 4, repeat(4, answer("TRYAGAIN Multiple keys request"))...),
	"NOREPLICAS":       refused("NOREPLICAS", 4, repeat(4, answer("NOREPLICAS Not enough good replicas"))...),
	"too many clients": refused("ERR", 4, repeat(4, answer("ERR max number of clients reached"))...),
	"no server":        refused("connection_refused", 4).dialing(errRefused, errRefused, errRefused, errRefused),

	"no server in time": refused("timeout", 4).dialing(slices.Repeat([]error{
		&net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded},
	}, 4)...),

	// Repeated with success.
	"READONLY, then done": done(answer("READONLY You can't write"), pass),
	"refused, then done":  done().dialing(errRefused, errRefused, errRefused),

	// A write that may have been applied ends the retries.
	"no server, then applied and lost": lost("connection_lost", true, 2, applyThenDrop).dialing(errRefused),
	"no server, then lost":             lost("connection_lost", false, 2, drop).dialing(errRefused),
	"READONLY, then applied and lost":  lost("connection_lost", true, 2, answer("READONLY no"), applyThenDrop),
	"READONLY, then no answer":         lost("timeout", true, 2, answer("READONLY no"), applyThenHang),

	// No attempt was lost.
	"no server, then READONLY, then OOM": refused("OOM", 3, answer("READONLY no"), answer("OOM no")).dialing(errRefused),
}

func repeat(n int, a act) []act { return slices.Repeat([]act{a}, n) }

// writes are all ways to write. Each makes a change that can be seen.
var writes = map[string]struct {
	op      string
	write   func(ctx context.Context, b *redisbackend.Backend) error
	applied func(s *server) bool
}{
	"Set": {
		"set",
		func(ctx context.Context, b *redisbackend.Backend) error { return b.Set(ctx, secret, value(secret)) },
		func(s *server) bool { got, _ := s.Get(secret); return got != "old" },
	},
	"Set that expires": {
		"set",
		func(ctx context.Context, b *redisbackend.Backend) error {
			return b.Set(ctx, secret, expiring(secret, time.Hour))
		},
		func(s *server) bool { return s.TTL(secret) != 0 },
	},
	"Set of what has expired": {
		"set",
		func(ctx context.Context, b *redisbackend.Backend) error {
			return b.Set(ctx, secret, expiring(secret, 0))
		},
		func(s *server) bool { return !s.Exists(secret) },
	},
	"staged": {
		"set",
		func(ctx context.Context, b *redisbackend.Backend) error {
			set, err := b.Stage(ctx, secret, value(secret))
			if err != nil {
				return err
			}
			return set(ctx)
		},
		func(s *server) bool { got, _ := s.Get(secret); return got != "old" },
	},
	"Delete": {
		"delete",
		func(ctx context.Context, b *redisbackend.Backend) error { return b.Delete(ctx, secret) },
		func(s *server) bool { return !s.Exists(secret) },
	},
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		for name, o := range outcomes {
			t.Run(call+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					require.NoError(t, s.Set(secret, "old"))
					s.next(o.acts...)
					s.nextDials(o.dials...)
					err := w.write(t.Context(), s.backend(t, o.opts...))

					assert.Equal(t, o.applied, w.applied(s), "really applied")
					if o.succeeds {
						require.NoError(t, err)
						return
					}
					require.Error(t, err)
					assert.Equal(t, o.certain, backends.CertainlyNotApplied(err), "certainly not applied: %v", err)
					assert.False(t, o.certain && w.applied(s), "a lie")
					assert.Equal(t, o.errorType, errorType(t, err))
					assert.NotContains(t, err.Error(), secret)
					var failed *redisbackend.Error
					require.ErrorAs(t, err, &failed)
					assert.Equal(t, o.attempts, failed.Attempts)
					assert.Equal(t, w.op, failed.Op)
				})
			})
		}
	}
}
