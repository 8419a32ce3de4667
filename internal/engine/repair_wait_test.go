package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// lostSet returns an instance whose Set of "new" was lost, with what it knows of L2's clock.
// Both tiers had the value "old".
func lostSet(t *testing.T, within time.Duration, knows bool) (here *instance, clock *unsure, s *store, r *resolutions) {
	t.Helper()
	s, r = backendtest.NewStore[string](), new(resolutions)
	clock = &unsure{Client: s.Client(), within: within, knows: knows}
	here = &instance{stamps: backendtest.NewMap[string](), client: clock.Client, l2: backendtest.WithFaults[string](clock)}
	var err error
	here.Cache, err = tiercache.New("users", here.stamps, here.l2, tiercache.WithCoherence(bound, tiercache.AskL2),
		tiercache.WithTelemetry(tracing.Disabled(), tracing.WithSlog(slog.New(r))))
	require.NoError(t, err)
	<-here.client.Watched()
	sync2(t, here)
	here.set(t, "old")
	sync2(t, here)
	here.l2.Next(tier.Set, new(late).fault())
	require.ErrorIs(t, here.Set(t.Context(), "k", "new", time.Hour), tiercache.ErrInconsistent)
	return here, clock, s, r
}

// The key of a request that was lost stays open as long as L2 may still take it, whatever
// is known of L2's clock.
func TestRepair_OpenUntilTheDeadline(t *testing.T) {
	t.Parallel()
	const margin = 50 * time.Millisecond
	for _, test := range []struct {
		within time.Duration
		knows  bool
		until  time.Duration
	}{
		{0, false, 2 * tiercache.DefaultWriteTimeout},
		{20 * time.Millisecond, true, tiercache.DefaultWriteTimeout + margin + 20*time.Millisecond + margin},
		{time.Second, true, tiercache.DefaultWriteTimeout + time.Second + time.Second + margin},
	} {
		t.Run(fmt.Sprint(test.within, test.knows), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				here, _, _, r := lostSet(t, test.within, test.knows)
				end := time.Now().Add(test.until)
				for left := test.until - 1; left > 0; left = time.Until(end) - 1 {
					time.Sleep(min(left, 250*time.Millisecond))
					sync2(t, here)
				}
				assert.Equal(t, []string{"unknown"}, here.open())
				assert.Empty(t, r.take())
				time.Sleep(2 * time.Nanosecond)
				synctest.Wait()
				assert.Empty(t, here.open())
				here.close(t)
			})
		})
	}
}

// A request without a deadline may arrive at any time. The clock that becomes known later
// does not change that: the value is not written again.
func TestRepair_ClockIsKnownTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		here, clock, s, r := lostSet(t, 0, false)
		clock.knows = true
		here.beat(t, 4*passed)
		assert.Equal(t, []string{"dropped"}, r.take())
		assert.Equal(t, "old", inL2(s))
		here.close(t)
	})
}

// An instance that is not in sync does not know which server answers, so it does not repair.
func TestRepair_NeedsAProof(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.down()
		require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
		synctest.Wait()
		here.up()
		time.Sleep(2 * bound)
		asked := here.l2.Calls(tier.Get)
		require.ErrorIs(t, here.Repair(t.Context(), "k"), tiercache.ErrDiverged)
		assert.Equal(t, asked, here.l2.Calls(tier.Get))
		assert.Equal(t, "old", inL2(s))
		sync2(t, here, there)
		assert.Equal(t, []string{"applied"}, r.take())
	})
}

// Two callers repair one key: it is repaired once.
func TestRepair_OneAfterTheOther(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.down()
		require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
		synctest.Wait()
		here.up()
		asked := here.l2.Calls(tier.Get)
		gate := backendtest.NewGate()
		here.l2.Next(tier.Get, gate.Before())
		second := make(chan error, 1)
		during(t, gate, func() { assert.NoError(t, here.Repair(t.Context(), "k")) }, func() {
			go func() { second <- here.Repair(t.Context(), "k") }()
			synctest.Wait()
		})
		require.NoError(t, <-second)
		assert.Equal(t, 1, here.l2.Calls(tier.Get)-asked)
		assert.Equal(t, []string{"applied"}, r.take())
		assert.Equal(t, "new", inL2(s))
		sync2(t, here, there)
	})
}

// A write is lost while a caller waits for the key's lock. The caller waits on, until the
// deadline of that write has passed.
func TestRepair_LostMeanwhile(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.down()
		require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
		synctest.Wait()
		here.up()
		gate := backendtest.NewGate()
		here.l2.Next(tier.Set, backendtest.Chain(gate.Before(), backendtest.Lose(context.DeadlineExceeded)))
		asked := here.l2.Calls(tier.Get)
		done := make(chan error, 1)
		during(t, gate, func() { assert.Error(t, here.Set(t.Context(), "k", "newer", time.Hour)) }, func() {
			go func() { done <- here.Repair(t.Context(), "k") }()
			synctest.Wait()
		})
		assert.Equal(t, asked, here.l2.Calls(tier.Get))
		assert.Empty(t, done)
		for range passed / (250 * time.Millisecond) {
			time.Sleep(250 * time.Millisecond)
			sync2(t, here, there)
		}
		require.NoError(t, <-done)
		assert.Equal(t, []string{"superseded", "applied"}, r.take())
		assert.Equal(t, "newer", inL2(s))
	})
}

// L2 shows that another process was newer than a deletion: no deletion is sent.
func TestRepair_AsksBeforeItDeletes(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.down()
		require.Error(t, here.Delete(t.Context(), "k"))
		there.set(t, "newer")
		here.up()
		sent := here.l2.Calls(tier.Delete)
		sync2(t, here, there)
		assert.Equal(t, []string{"superseded"}, r.take())
		assert.Equal(t, sent, here.l2.Calls(tier.Delete))
		assert.Equal(t, "newer", inL2(s))
	})
}

// What was known before a connection was lost is known after it: the versions are those of
// the same server.
func TestRepair_AfterADisconnection(t *testing.T) {
	t.Parallel()
	for cause, want := range map[backends.Loss]string{
		backends.LossDisconnected: "applied", backends.LossTrimmed: "applied", backends.LossServerChanged: "dropped",
	} {
		t.Run(cause.String(), func(t *testing.T) {
			t.Parallel()
			repaired(t, func(t *testing.T, _ *store, here, there *instance, r *resolutions) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
				synctest.Wait()
				here.client.Lose(cause)
				here.up()
				for range 8 {
					here.client.Sync()
					time.Sleep(250 * time.Millisecond)
				}
				sync2(t, here, there)
				assert.Equal(t, []string{want}, r.take())
			})
		})
	}
}
