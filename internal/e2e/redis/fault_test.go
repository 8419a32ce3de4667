package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// soon is a write timeout for faults that make a write hang: long enough for a
// busy machine to send the command, short enough to wait for.
const soon = 500 * time.Millisecond

// truth is whether Redis really applied a write, which need not be known to the
// caller.
type truth int

const (
	no truth = iota
	yes
	either // it depends on things that a test does not hold in its hands
)

// fault is something that happens to a Redis or to the way there.
type fault struct {
	outcome tier.Outcome // that the caller is told
	applied truth

	deleted tier.Outcome // for a delete, where it differs
	hangs   bool         // until the write timeout
	server  []string     // arguments
	resets  string       // the direction in which a connection is reset, if it is
	direct  bool         // no proxy between
	fresh   bool         // the client keeps no connections
	rueidis bool         // the client is one of rueidis

	// strike arranges for the next write to meet the fault, and returns what
	// makes Redis serve again; nil is nothing.
	strike func(t *testing.T, s *faultFixture) (heal func())
}

// faultFixture is a fixture with a server and a proxy of its own.
type faultFixture struct {
	*fixture
	server *server.Redis
	proxy  *proxy // nil: the client is connected directly
	reset  func()

	refused func() // waits until the server refuses the client of rueidis
}

func newFaultFixture(t *testing.T, f fault, policy writepolicy.Policy, change func(o *redis.Options)) *faultFixture {
	t.Helper()
	s, m := &faultFixture{server: startRedis(t, f.server...)}, &triggers{}
	addr := s.server.Addr
	if !f.direct {
		s.proxy = newProxy(t, addr)
		addr = s.proxy.Listen
		if f.resets != "" {
			s.reset = s.proxy.prepareReset(t, f.resets)
		}
	}
	timeout := patience
	if f.hangs {
		timeout = soon
	}
	if f.rueidis {
		s.fixture = newFixture(t, setting{
			store: s.overRueidis(t, addr, m), triggers: m, direct: s.server.Admin, policy: policy, timeout: timeout,
		})
		return s
	}
	o := clientOptions(addr)
	o.Dialer = m.dial
	if f.fresh {
		o.ConnMaxIdleTime = time.Nanosecond
	}
	if change != nil {
		change(o)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	s.fixture = newFixture(t, setting{
		client: client, triggers: m, direct: s.server.Admin, policy: policy, timeout: timeout, retries: max(0, o.MaxRetries),
	})
	return s
}

// writes are the operations that meet a fault.
var writes = map[tier.Kind]struct {
	value string // what a tier that applied it holds
	do    func(ctx context.Context, w *fixture) error
}{
	tier.Set:    {newValue, func(ctx context.Context, w *fixture) error { return w.Set(ctx, key, newValue, 0) }},
	tier.Delete: {"", func(ctx context.Context, w *fixture) error { return w.Delete(ctx, key) }},
}

// runFaults lets a Set and a Delete meet each fault, with L1 first and L2 first.
func runFaults(t *testing.T, faults map[string]fault) {
	t.Helper()
	for name, f := range faults {
		for _, policy := range []writepolicy.Policy{writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First)} {
			for kind := range writes {
				t.Run(fmt.Sprintf("%s/%s/%s", name, writepolicy.NameOf(policy), kind), func(t *testing.T) {
					t.Parallel()
					f.run(t, policy, kind)
				})
			}
		}
	}
}

func (f fault) run(t *testing.T, policy writepolicy.Policy, kind tier.Kind) {
	t.Helper()
	outcome, write := f.outcome, writes[kind]
	if kind == tier.Delete && f.deleted != tier.Skipped {
		outcome = f.deleted
	}
	s := newFaultFixture(t, f, policy, nil)
	s.put(t)
	heal := f.strike(t, s)
	err := write.do(t.Context(), s.fixture)

	// What the caller is told, and what is reported.
	l2First := writepolicy.NameOf(policy) == "sequential_l2_first"
	want := expect(l2First, outcome)
	want.check(t, err)
	event := s.event(t, want.event)
	if want.event {
		assert.False(t, event.Verdict.Resolved, "the event says that it was resolved")
		assert.Equal(t, want.l1, event.L1.Outcome)
		assert.Equal(t, outcome, event.L2.Outcome)
		assert.Equal(t, key, event.Key)
	}

	// Whether it is true.
	if heal != nil {
		heal()
	}
	applied := f.applied == yes || outcome == tier.Applied
	if applied { // perhaps only when Redis gets to it
		eventually(t, "Redis applies what it was sent", func(ctx context.Context) error {
			got, _, err := s.l2.Get(ctx, key)
			if err == nil && got.Value != write.value {
				err = fmt.Errorf("it holds %q", got.Value)
			}
			return err
		})
	}
	l1, l2 := s.holds(t)
	assert.Equal(t, want.holds(write.value), l1, "what L1 holds")
	switch {
	case f.applied == either:
		assert.Contains(t, []string{oldValue, write.value}, l2, "what L2 holds")
	case !applied:
		assert.Equal(t, oldValue, l2, "what L2 holds")
	}
	if differ(l1, l2) {
		require.ErrorIs(t, err, tiercache.ErrInconsistent, "the tiers differ, and the caller was not told")
		assert.True(t, want.event, "the tiers differ, and no event says so")
	}
	s.goesOn(t)
}

// differ reports whether a reader here and one elsewhere would see different
// things. What L1 does not hold, a reader finds in L2.
func differ(l1, l2 string) bool { return l1 != "" && l1 != l2 }
