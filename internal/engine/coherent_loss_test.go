package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

type store = backendtest.Store[string]

var errDown = backends.NotApplied(context.DeadlineExceeded)

// After a loss, by whatever cause, L1's entry is compared with L2 once, and then trusted
// again. Where the cause is in the log itself, no value is moved.
func TestCoherence_Losses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lose  func(s *store, here *instance)
		cause string
		moves bool // the value, from L2
	}{
		"trimmed":                     {func(s *store, _ *instance) { s.Trim(0) }, "trimmed", false},
		"failover":                    {func(s *store, _ *instance) { s.Failover() }, "server_changed", true},
		"failover that lost a change": {func(s *store, _ *instance) { s.Failover(); s.LoseTail(1) }, "server_changed", true},
		"log deleted":                 {func(s *store, _ *instance) { s.DeleteLog() }, "log_replaced", false},
		"behind":                      {func(s *store, here *instance) { here.client.Deliver(-1); s.LoseTail(1) }, "behind", true},
		"disconnected":                {func(_ *store, here *instance) { here.client.Lose(backends.LossDisconnected) }, "disconnected", false},
		"protocol":                    {func(_ *store, here *instance) { here.client.Lose(backends.LossProtocol) }, "protocol", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, s *store, here, there *instance) {
				here.set(t, "v")
				there.set(t, "v")
				require.NoError(t, there.Set(t.Context(), "other", "v", 0))
				require.True(t, here.client.Sync())
				require.Equal(t, "v (l2)", here.read(t))
				require.Equal(t, "v (l1)", here.read(t))
				require.NoError(t, there.Set(t.Context(), "other", "v", 0))

				test.lose(s, here)
				here.client.Deliver(-1)
				here.client.Heartbeat()
				status := here.Status().Coherence
				if !status.Trusted {
					assert.Equal(t, test.cause, status.Cause)
				}
				require.True(t, here.client.Sync())
				status = here.Status().Coherence
				assert.True(t, status.Trusted)
				assert.EqualValues(t, 2, status.Epoch)

				read, moved := here.l2.Calls(tier.Get), here.moves.moved.Load()
				assert.Equal(t, "v (l2)", here.read(t), "it was compared with L2")
				assert.Equal(t, "v (l1)", here.read(t))
				assert.Equal(t, 1, here.l2.Calls(tier.Get)-read)
				assert.Equal(t, test.moves, here.moves.moved.Load() > moved)
			})
		})
	}
}

// A server that has lost the end of its log gives the same versions again. So a version
// that L1 has from before says nothing.
func TestCoherence_VersionsGivenTwice(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, s *store, here, there *instance) {
		here.set(t, "lost")
		require.True(t, here.client.Sync())
		before := here.stamp(t).Version
		s.LoseTail(1)
		s.Failover()
		there.set(t, "new")
		require.True(t, here.client.Sync())
		require.Equal(t, before, s.Remembers("k").Version)
		assert.Equal(t, "new (l2)", here.read(t))
		assert.Equal(t, "new (l1)", here.read(t))
	})
}

// An L1 that has served another cache before is trusted no more than after a loss.
func TestCoherence_L1OfAnotherCache(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, s *store, here, there *instance) {
		here.set(t, "old")
		here.close(t)
		there.set(t, "new")
		client := s.Client()
		cache, err := tiercache.New("users", here.l1, client,
			tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		<-client.Watched()
		require.True(t, client.Sync())
		value, _, err := cache.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, "new", value)
		require.NoError(t, cache.Close(t.Context()))
	})
}

// A cache that has not heard of L2 for longer than the bound does as it was told. It
// empties nothing, and when L2's changes come late, it misses none of them.
func TestCoherence_Overdue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		onLost     tiercache.OnLost
		late, down string
	}{
		"ask L2":      {tiercache.AskL2, "new (l2)", "error"},
		"serve stale": {tiercache.ServeStale, "old (stale)", "old (stale)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, _ *store, here, there *instance) {
				here.set(t, "old")
				require.NoError(t, here.Set(t.Context(), "untouched", "v", 0))
				require.True(t, here.client.Sync())
				here.client.Disconnect()
				there.set(t, "new")
				time.Sleep(bound)
				assert.Equal(t, "old (l1)", here.read(t), "it is not older than the bound says")
				time.Sleep(time.Nanosecond)
				here.l2.Always(tier.Get, backendtest.FailBefore(errDown))
				assert.Equal(t, test.down, here.read(t))
				here.l2.Always(tier.Get, nil)
				assert.Equal(t, test.late, here.read(t))
				assert.Equal(t, "overdue", here.Status().Coherence.Cause)

				here.client.Reconnect()
				require.True(t, here.client.Sync())
				assert.True(t, here.Status().Coherence.Trusted)
				assert.EqualValues(t, 1, here.Status().Coherence.Epoch)
				_, _, err := here.GetEntry(t.Context(), "untouched")
				require.NoError(t, err)
				entry, _, _ := here.GetEntry(t.Context(), "untouched")
				assert.Equal(t, tier.L1, entry.Tier, "nothing was compared with L2")
				here.read(t)
				assert.Equal(t, "new (l1)", here.read(t))
			}, tiercache.WithCoherence(bound, test.onLost))
		})
	}
}

// An entry that was not compared with L2 since the last loss, while L2 cannot be read.
func TestCoherence_Suspect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []tiercache.Option
		get  string // by Get, "": an error
		want string // by GetEntry
		load string // by GetOrLoad
	}{
		"ask L2":                   {[]tiercache.Option{tiercache.WithCoherence(bound, tiercache.AskL2)}, "", "error", "loaded"},
		"serve stale":              {[]tiercache.Option{tiercache.WithCoherence(bound, tiercache.ServeStale)}, "v", "v (stale)", "v"},
		"ask L2, stale if error":   {[]tiercache.Option{tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithStaleIfError(time.Hour)}, "", "v (stale)", "loaded"},
		"serve stale, and refresh": {[]tiercache.Option{tiercache.WithCoherence(bound, tiercache.ServeStale), tiercache.WithRefreshAhead(0.1)}, "v", "v (stale)", "v"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, s *store, here, _ *instance) {
				here.set(t, "v")
				s.Failover()
				require.True(t, here.client.Sync())
				here.l2.Always(tier.Get, backendtest.FailBefore(errDown))
				value, ok, err := here.Get(t.Context(), "k")
				assert.Equal(t, test.get, value)
				assert.Equal(t, test.get != "", ok && err == nil)
				assert.Equal(t, test.want, here.read(t))
				value, err = here.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return "loaded", nil })
				require.NoError(t, err)
				assert.Equal(t, test.load, value)
			}, test.opts...)
		})
	}
}
