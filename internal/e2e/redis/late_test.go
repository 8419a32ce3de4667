package redis_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/writepolicy"
)

// A command that was given up may arrive later, on a way that is slower than that
// of the writes after it. Redis cannot tell, so L2 then holds the older value.
//
// So the write is unknown to its caller, and there is an event. The backend does
// not repeat it, as the client would: a repetition that succeeds would leave nobody
// told of what is still on its way.
func TestLateAttempt(t *testing.T) {
	t.Parallel()
	for _, retries := range []int{0, 1} {
		t.Run(fmt.Sprintf("retries=%d", retries), func(t *testing.T) {
			t.Parallel()
			s := newSlowThenFast(t, retries)
			err := s.Set(t.Context(), key, "first", 0)
			require.ErrorIs(t, err, tiercache.ErrInconsistent)
			require.NoError(t, s.Set(t.Context(), key, "second", 0))
			l1, l2 := s.holds(t)
			assert.Equal(t, [2]string{"second", "second"}, [2]string{l1, l2})

			eventually(t, "the first attempt arrives", func(ctx context.Context) error {
				got, _, err := s.l2.Get(ctx, key)
				if err == nil && got.Value != "first" {
					err = fmt.Errorf("L2 holds %q", got.Value)
				}
				return err
			})
			s.event(t, true)
		})
	}
}

// newSlowThenFast is a fixture whose first connection is slow, and all others are
// not.
func newSlowThenFast(t *testing.T, retries int) *faultFixture {
	t.Helper()
	s := &faultFixture{server: startRedis(t)}
	s.proxy = newProxy(t, s.server.Addr)
	m := &triggers{}
	o := clientOptions(s.server.Addr)
	o.ReadTimeout, o.MaxRetries = soon, retries
	if retries == 0 {
		o.MaxRetries = -1
	}
	var dials atomic.Int32
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			addr = s.proxy.Listen
		}
		return m.dial(ctx, network, addr)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	s.fixture = newFixture(t, setting{
		client: client, direct: s.server.Admin, triggers: m, policy: writepolicy.Sequential(), timeout: patience, retries: retries,
	})
	s.put(t)
	m.beforeSending(func() {
		s.proxy.add(t, "latency", upstream, map[string]any{"latency": (4 * soon).Milliseconds()})
	})
	return s
}
