package engine_test

import (
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
	"github.com/tiercache/tiercache/writepolicy"
)

// The table of docs/repair.md: a write while L2 is down, and a read when it is back, after
// L1 has evicted the key.
func TestRepair_WhatIsLost(t *testing.T) {
	t.Parallel()
	sequential := writepolicy.Sequential
	for name, test := range map[string]struct {
		policy    writepolicy.Policy
		remove    bool
		down      string // a read of L1 while L2 is down, without repair
		coherence string // in all processes, when L2 is back
	}{
		"sequential, Set":        {sequential(), false, "new", "new"},
		"sequential, Delete":     {sequential(), true, "error", "none"},
		"invalidate L1, Set":     {sequential(writepolicy.InvalidateL1()), false, "error", "none"},
		"L2 first, Set":          {sequential(writepolicy.L2First), false, "old", "none"},
		"L2 first, Delete":       {sequential(writepolicy.L2First), true, "old", "none"},
		"parallel, Set":          {writepolicy.Parallel(), false, "new", "new"},
		"parallel, Delete":       {writepolicy.Parallel(), true, "error", "none"},
		"optimistic, Set":        {writepolicy.OptimisticParallel(), false, "new", "new"},
		"race, Set":              {writepolicy.Race(), false, "new", "new"},
		"around, Set":            {writepolicy.WriteAround(), false, "old", "none"},
		"around, Delete":         {writepolicy.WriteAround(), true, "old", "none"},
		"optimistic, and Delete": {writepolicy.OptimisticParallel(), true, "error", "none"},
	} {
		write := func(t *testing.T, c *tiercache.Cache[string]) {
			t.Helper()
			if test.remove {
				_ = c.Delete(t.Context(), "k")
			} else {
				_ = c.Set(t.Context(), "k", "new", time.Hour)
			}
		}
		read := func(t *testing.T, c *tiercache.Cache[string]) string {
			t.Helper()
			entry, ok, err := c.GetEntry(t.Context(), "k")
			switch {
			case err != nil:
				return "error"
			case !ok:
				return "none"
			default:
				return entry.Value
			}
		}
		t.Run(name+", with coherence", func(t *testing.T) {
			t.Parallel()
			repaired(t, func(t *testing.T, _ *store, here, there *instance, _ *resolutions) {
				assert.Equal(t, "old (l2)", there.read(t)[:3]+" (l2)")
				here.down()
				write(t, here.Cache)
				assert.Equal(t, "error", here.read(t))
				here.up()
				// An attempt may have come before L2 was up, and the next one is later then.
				for range 20 {
					sync2(t, here, there)
					<-time.After(time.Second)
				}
				require.Zero(t, here.Status().Repair.Open)
				sync2(t, here, there)
				assert.Equal(t, test.coherence, read(t, here.Cache))
				assert.Equal(t, test.coherence, read(t, there.Cache))
			}, tiercache.WithWritePolicy(test.policy))
		})
		for _, drops := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", dropped", false: ", without repair"}[drops], func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					opts := []tiercache.Option{tiercache.WithTelemetry(tracing.Disabled()), tiercache.WithWritePolicy(test.policy)}
					down := test.down
					if drops {
						opts, down = append(opts, tiercache.WithDropDiverged()), "error"
					}
					l1, l2 := backendtest.NewMap[string](), backendtest.WithFaults[string](backendtest.NewStore[string]().Client())
					c, err := tiercache.New("users", l1, l2, opts...)
					require.NoError(t, err)
					require.NoError(t, c.Set(t.Context(), "k", "old", time.Hour))
					synctest.Wait() // L2 has it too, also by a race
					read(t, c)
					i := instance{Cache: c, l2: l2}
					i.down()
					write(t, c)
					synctest.Wait() // for a detached write
					assert.Equal(t, down, read(t, c))
					i.up()
					require.NoError(t, l1.Delete(t.Context(), "k"))
					assert.Equal(t, "old", read(t, c))
					require.NoError(t, c.Close(t.Context()))
				})
			})
		}
	}
}

// A key for which the ledger has no room is dropped from L1, and counted.
func TestRepair_NoRoom(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, _ *store, here, there *instance, r *resolutions) {
		here.down()
		const room = 10_000
		for i := range room + 5 {
			require.Error(t, here.Set(t.Context(), string(rune(1000+i)), "new", time.Hour))
		}
		r.take()
		status := here.Status().Repair
		assert.Equal(t, room, status.Open)
		assert.EqualValues(t, 5, status.Dropped)
		assert.EqualValues(t, 5, status.Closed)
		assert.Len(t, status.Keys, 100)
		stored := 0
		require.NoError(t, here.stamps.Walk(t.Context(), func(string, backends.Stamp) bool { stored++; return true }))
		assert.Equal(t, room+1, stored, "and the key of the fixture")
		assert.Equal(t, "old (l1)", here.read(t), "L1 can be trusted")
		here.l1.Next(tier.Delete, refuse)
		require.Error(t, here.Set(t.Context(), "one more", "new", time.Hour))
		assert.Equal(t, "error", here.read(t), "L1 has a copy that nobody looks after")
		here.up()
		for range 8 {
			sync2(t, here, there)
			time.Sleep(250 * time.Millisecond)
		}
		assert.Zero(t, here.Status().Repair.Open, "within two seconds")
	})
}

// The newest operations that were resolved are remembered: each that comes later opens its
// key again.
func TestRepair_RemembersTheResolved(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, _ *resolutions) {
		const most = 1024
		lost := make([]late, most)
		for i := range lost {
			key := string(rune(1000 + i))
			here.l2.Next(tier.Set, lost[i].fault())
			require.Error(t, here.Set(t.Context(), key, "lost", time.Hour))
			require.NoError(t, there.Set(t.Context(), key, "newer", time.Hour))
		}
		for range 4 * passed / time.Second {
			sync2(t, here, there)
			time.Sleep(250 * time.Millisecond)
		}
		status := here.Status().Repair
		require.Zero(t, status.Open)
		require.EqualValues(t, most, status.Opened)
		s.Advance(-time.Minute)
		for i := range lost {
			lost[i].arrive()
		}
		sync2(t, here, there)
		assert.EqualValues(t, 2*most, here.Status().Repair.Opened)
		for range 8 {
			sync2(t, here, there)
			time.Sleep(250 * time.Millisecond)
		}
	})
}
