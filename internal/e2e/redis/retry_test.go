package redis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// newRetrying is a fixture whose client repeats what failed, as go-redis's does
// unless it is told otherwise.
func newRetrying(t *testing.T, f fault) *faultFixture {
	t.Helper()
	s := newFaultFixture(t, f, writepolicy.Sequential(), func(o *redis.Options) { o.MaxRetries = 3 })
	s.put(t)
	return s
}

// The attempt was applied, and its answer lost. For all that the client knows it may
// still be on its way, so it is not made again, although it could be.
func TestRetries_Reset(t *testing.T) {
	t.Parallel()
	s := newRetrying(t, fault{resets: downstream})
	s.triggers.beforeSending(s.reset)
	err := s.Set(t.Context(), key, newValue, 0)
	require.ErrorIs(t, err, tiercache.ErrInconsistent)
	var failed *redisbackend.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 1, failed.Attempts)
	expect(false, tier.Unknown).check(t, err)
	assert.Equal(t, tier.Unknown, s.event(t, true).L2.Outcome)
	l1, l2 := s.holds(t)
	assert.Equal(t, [2]string{newValue, newValue}, [2]string{l1, l2})

	s.proxy.Toxics.ResetToxics(t.Context())
	s.goesOn(t)
}

// No attempt reaches a server: certainly not applied, however often it was tried.
func TestRetries_NoServer(t *testing.T) {
	t.Parallel()
	s := newRetrying(t, fault{fresh: true})
	s.proxy.Stop()
	err := s.Set(t.Context(), key, newValue, 0)
	var failed *redisbackend.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 4, failed.Attempts)
	expect(false, tier.Failed).check(t, err)
	assert.Equal(t, tier.Failed, s.event(t, true).L2.Outcome)
	l1, l2 := s.holds(t)
	assert.Equal(t, [2]string{newValue, oldValue}, [2]string{l1, l2})

	require.NoError(t, s.proxy.Start())
	s.goesOn(t)
}

// Redis is killed and comes back while the write is repeated: the write succeeds.
func TestRetries_ServerComesBack(t *testing.T) {
	t.Parallel()
	s := newRetrying(t, fault{fresh: true, direct: true, server: durable})
	s.triggers.beforeSending(func() {
		s.server.Kill()
		s.triggers.beforeSending(func() { assert.NoError(t, s.server.Restart(t.Context())) })
	})
	require.NoError(t, s.Set(t.Context(), key, newValue, 0))
	l1, l2 := s.holds(t)
	assert.Equal(t, [2]string{newValue, newValue}, [2]string{l1, l2})
	s.event(t, false)
}
