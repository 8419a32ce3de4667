package engine_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// Each state that a write can leave behind, and its repair.
func TestRepair(t *testing.T) {
	t.Parallel()
	l2First := []tiercache.Option{tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First))}
	for name, test := range map[string]struct {
		opts  []tiercache.Option
		write func(t *testing.T, s *store, here, there *instance)
		open  string // the cause, before the repair
		while string // a read, before the repair
		after func(t *testing.T, s *store, here, there *instance)
		end   string // the resolution
		l2    string // in the end
	}{
		"a Set that L2 refused": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
			},
			open: "missing", while: "error", end: "applied", l2: "new",
		},
		"a Set that L2 refused, and L1 dropped": {
			opts: []tiercache.Option{tiercache.WithDropDiverged()},
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
			},
			open: "missing", while: "error", end: "rolled_back", l2: "none",
		},
		"a Set without a TTL that L2 refused, and L1 dropped": {
			opts: []tiercache.Option{tiercache.WithDropDiverged()},
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", 0))
			},
			open: "missing", while: "error", end: "rolled_back", l2: "none",
		},
		"a Set that L2 refused, and another process was faster": {
			write: func(t *testing.T, _ *store, here, there *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
				there.set(t, "newer")
			},
			open: "missing", while: "error", end: "superseded", l2: "newer",
		},
		"a Set that L2 refused, and lost the key": {
			write: func(t *testing.T, s *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
				s.Evict("k")
			},
			open: "missing", while: "error", end: "dropped", l2: "none",
		},
		"a Set that L2 refused, and that expired": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Second))
			},
			open: "missing", while: "error", end: "expired", l2: "none",
			after: func(*testing.T, *store, *instance, *instance) { time.Sleep(2 * time.Second) },
		},
		"a Set that neither tier has": {
			opts: l2First,
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
			},
			open: "no_tier", while: "error", end: "rolled_back", l2: "none",
		},
		"a Delete that L2 refused": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.down()
				require.Error(t, here.Delete(t.Context(), "k"))
			},
			open: "kept", while: "error", end: "applied", l2: "none",
		},
		"a Delete that L2 refused, and changed neither tier": {
			opts: l2First,
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Delete, refuse)
				here.l2.Always(tier.Delete, refuse)
				require.Error(t, here.Delete(t.Context(), "k"))
			},
			open: "kept", while: "none", end: "applied", l2: "none",
		},
		"a Delete that L2 refused, and another process was faster": {
			write: func(t *testing.T, _ *store, here, there *instance) {
				here.down()
				require.Error(t, here.Delete(t.Context(), "k"))
				there.set(t, "newer")
			},
			open: "kept", while: "error", end: "superseded", l2: "newer",
		},
		"a Set whose answer was lost": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Set, backendtest.ApplyThenFail(context.DeadlineExceeded))
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
			},
			open: "unknown", while: "new (l2)", end: "applied", l2: "new",
		},
		"a Set that was lost": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
			},
			open: "unknown", while: "none", end: "applied", l2: "new",
		},
		"a Set that was lost, and another process was faster": {
			write: func(t *testing.T, _ *store, here, there *instance) {
				here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
				there.set(t, "newer")
			},
			open: "unknown", while: "newer (l2)", end: "superseded", l2: "newer",
		},
		"a Delete whose answer was lost": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Delete, backendtest.ApplyThenFail(context.DeadlineExceeded))
				require.Error(t, here.Delete(t.Context(), "k"))
			},
			open: "unknown", while: "none", end: "applied", l2: "none",
		},
		"a Delete that was lost": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Delete, backendtest.Lose(context.DeadlineExceeded))
				require.Error(t, here.Delete(t.Context(), "k"))
			},
			open: "unknown", while: "none", end: "applied", l2: "none",
		},
		"a Delete that was lost, and L2 lost the key": {
			write: func(t *testing.T, s *store, here, _ *instance) {
				here.l2.Next(tier.Delete, backendtest.Lose(context.DeadlineExceeded))
				require.Error(t, here.Delete(t.Context(), "k"))
				s.Evict("k")
			},
			open: "unknown", while: "none", end: "applied", l2: "none",
		},
		"an update that was lost": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
				_, err := here.Update(t.Context(), "k", 0, func(old string, _ bool) (string, error) { return old + "er", nil })
				require.Error(t, err)
			},
			open: "unknown", while: "none", end: "rolled_back", l2: "old",
		},
		"an update whose answer was lost": {
			write: func(t *testing.T, _ *store, here, _ *instance) {
				here.l2.Next(tier.Set, backendtest.ApplyThenFail(context.DeadlineExceeded))
				_, err := here.Update(t.Context(), "k", 0, func(old string, _ bool) (string, error) { return old + "er", nil })
				require.Error(t, err)
			},
			open: "unknown", while: "older (l2)", end: "applied", l2: "older",
		},
		"a Set that was lost, and the server changed": {
			write: func(t *testing.T, s *store, here, there *instance) {
				there.set(t, "lost")
				require.True(t, here.client.Sync())
				here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
				require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
				s.LoseTail(1) // the next version is given again
				s.Failover()
				there.client.Heartbeat()
				there.set(t, "newer")
				here.client.Heartbeat()
			},
			open: "unknown", while: "none", end: "dropped", l2: "newer",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
				test.write(t, s, here, there)
				synctest.Wait()
				assert.Equal(t, []string{test.open}, here.open())
				assert.Equal(t, test.while, here.read(t))
				assert.Equal(t, test.while, here.read(t), "nothing was stored in L1")
				assert.Empty(t, r.take())
				if test.after != nil {
					test.after(t, s, here, there)
				}
				here.up()
				if test.open == "unknown" {
					sync2(t, here, there)
					assert.NotEmpty(t, here.open(), "a request may still arrive")
					time.Sleep(passed)
				}
				sync2(t, here, there)
				assert.Equal(t, []string{test.end}, r.take())
				assert.Empty(t, here.open())
				assert.Equal(t, test.l2, inL2(s))

				sync2(t, here, there)
				if test.end == "dropped" && test.l2 == "none" {
					assert.Equal(t, "old (l1)", there.read(t), "nobody has told it")
					there = here
				}
				for _, i := range []*instance{here, there} {
					i.read(t)
					want := test.l2
					if want != "none" {
						want += " (l1)"
					}
					assert.Equal(t, want, i.read(t))
				}
			}, test.opts...)
		})
	}
}

// L2 refuses a request that arrives after its deadline, and applies one that arrives before.
func TestRepair_LateArrival(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after   time.Duration
		applied bool
	}{
		"in time": {tiercache.DefaultWriteTimeout, true},
		"late":    {tiercache.DefaultWriteTimeout + 51*time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
				var l late
				here.l2.Next(tier.Delete, l.fault())
				require.Error(t, here.Delete(t.Context(), "k"))
				time.Sleep(test.after)
				l.arrive()
				assert.Equal(t, test.applied, inL2(s) == "none")
				time.Sleep(time.Second)
				sync2(t, here, there)
				assert.Equal(t, []string{"applied"}, r.take())
				assert.Equal(t, "none", inL2(s))
			})
		})
	}
}

// A later write that was applied does not close the event of an older one, which may come
// last.
func TestRepair_OlderComesLast(t *testing.T) {
	t.Parallel()
	for _, last := range []bool{true, false} {
		repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
			var l late
			here.l2.Next(tier.Set, l.fault())
			require.Error(t, here.Set(t.Context(), "k", "older", time.Hour))
			here.set(t, "newer")
			assert.Equal(t, "newer (l1)", here.read(t))
			sync2(t, here, there)
			assert.Equal(t, []string{"unknown"}, here.open())
			want := "newer"
			if last {
				l.arrive()
				want = "older"
			}
			sync2(t, here, there)
			assert.Equal(t, []string{"unknown"}, here.open())
			time.Sleep(passed)
			sync2(t, here, there)
			assert.Equal(t, []string{"superseded"}, r.take())
			assert.Equal(t, want, inL2(s))
			here.read(t)
			assert.Equal(t, want+" (l1)", here.read(t))
		})
	}
}

// A change that is told while a repair has the key's lock is not lost, also if the repair
// fails.
func TestRepair_ToldMeanwhile(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, _ *resolutions) {
		here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
		require.Error(t, here.Set(t.Context(), "k", "older", time.Hour))
		time.Sleep(tiercache.DefaultWriteTimeout)
		here.set(t, "newer")
		sync2(t, here)
		require.Equal(t, "newer (l1)", here.read(t))
		gate := backendtest.NewGate()
		here.l2.Next(tier.Get, backendtest.Chain(gate.Before(), refuse))
		<-gate.Arrived()
		there.set(t, "newest")
		here.client.Sync()
		gate.Open()
		synctest.Wait()
		require.NotEmpty(t, here.open())
		assert.Equal(t, "newest (l2)", here.read(t))
		time.Sleep(passed)
		sync2(t, here, there)
		assert.Equal(t, "newest", inL2(s))
	})
}

// A later write that diverges too ends the event of the older one, and the key stays open
// until both deadlines have passed.
func TestRepair_Replaced(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
		require.Error(t, here.Set(t.Context(), "k", "older", time.Hour))
		since := here.Status().Repair.Oldest
		time.Sleep(time.Second)
		here.l2.Next(tier.Set, refuse)
		require.Error(t, here.Set(t.Context(), "k", "newer", time.Hour))
		assert.Equal(t, []string{"superseded"}, r.take())
		sync2(t, here, there)
		assert.Equal(t, []string{"missing"}, here.open(), "the older one may still arrive")
		status := here.Status().Repair
		assert.Equal(t, since, status.Oldest)
		assert.EqualValues(t, 2, status.Opened)
		assert.EqualValues(t, 1, status.Closed)
		time.Sleep(passed)
		sync2(t, here, there)
		assert.Equal(t, []string{"applied"}, r.take())
		assert.Equal(t, "newer", inL2(s))
	})
}

// A write that comes after its resolution, because L2's clock was set back, opens a new
// event.
func TestRepair_Reopened(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		var l late
		here.l2.Next(tier.Set, l.fault())
		require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
		there.set(t, "newer")
		time.Sleep(passed)
		sync2(t, here, there)
		assert.Equal(t, []string{"superseded"}, r.take())
		s.Advance(-time.Minute)
		l.arrive()
		sync2(t, here, there)
		assert.Equal(t, []string{"applied"}, r.take())
		assert.EqualValues(t, 2, here.Status().Repair.Opened)
		here.read(t)
		assert.Equal(t, "new (l1)", here.read(t))
	})
}

// A conditional write of an open key repairs it first, or fails.
func TestRepair_ConditionalFirst(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.down()
		require.Error(t, here.Delete(t.Context(), "k"))
		synctest.Wait()
		change := func(old string, ok bool) (string, error) {
			assert.False(t, ok, "it was deleted: %s", old)
			return "made", nil
		}
		_, err := here.Update(t.Context(), "k", 0, change)
		require.ErrorIs(t, err, tiercache.ErrDiverged)
		_, _, err = here.SetIfAbsent(t.Context(), "k", "v", 0)
		require.ErrorIs(t, err, tiercache.ErrDiverged)
		require.ErrorIs(t, here.Repair(t.Context(), "k"), tiercache.ErrDiverged)
		here.up()
		_, err = here.Update(t.Context(), "k", 0, change)
		require.NoError(t, err)
		assert.Equal(t, []string{"applied"}, r.take())
		assert.Equal(t, "made", inL2(s))
		sync2(t, here, there)

		here.l2.Next(tier.Delete, backendtest.Lose(context.DeadlineExceeded))
		require.Error(t, here.Delete(t.Context(), "k"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, here.Repair(ctx, "k"), tiercache.ErrDiverged)
		require.ErrorIs(t, here.Repair(ctx, "k"), context.DeadlineExceeded)
		go func() {
			for range 8 {
				time.Sleep(time.Second)
				here.client.Sync()
			}
		}()
		_, stored, err := here.SetIfAbsent(t.Context(), "k", "v", 0)
		require.NoError(t, err)
		assert.True(t, stored)
		time.Sleep(8 * time.Second)
		require.NoError(t, here.Repair(t.Context(), "k"))
		require.NoError(t, here.Repair(t.Context(), "another"))
		require.ErrorIs(t, here.Repair(t.Context(), ""), tiercache.ErrInvalid)
		sync2(t, here, there)
	})
}

// L1 drops its copy, however often it fails to.
func TestRepair_L1(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, r *resolutions) {
		here.l1.Always(tier.Delete, refuse)
		here.l1.Next(tier.Set, refuse)
		require.NoError(t, here.Set(t.Context(), "k", "new", time.Hour))
		synctest.Wait()
		assert.Equal(t, []string{"stale"}, here.open())
		assert.Equal(t, "new (l2)", here.read(t))
		here.l1.Clear()
		time.Sleep(time.Minute)
		sync2(t, here, there)
		assert.Equal(t, []string{"dropped"}, r.take())
		assert.Equal(t, "new", inL2(s))
	}, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
}

// While L2 is down there is at most one attempt for each sign of it, and when it is back,
// all keys are repaired, of which one whose calls hang holds up none.
func TestRepair_Ramp(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, there *instance, _ *resolutions) {
		const keys = 1000
		here.down()
		for i := range keys {
			require.Error(t, here.Set(t.Context(), string(rune('a'+i)), "new", time.Hour))
		}
		require.True(t, here.client.Sync())
		synctest.Wait()
		before := here.l2.Calls(tier.Get)
		for range 10 {
			require.True(t, here.client.Sync())
			synctest.Wait()
			time.Sleep(250 * time.Millisecond)
		}
		assert.LessOrEqual(t, here.l2.Calls(tier.Get)-before, 10)
		here.up()
		gate := backendtest.NewGate()
		here.l2.Next(tier.Get, gate.Before())
		for range 8 { // heartbeats
			sync2(t, here, there)
			time.Sleep(250 * time.Millisecond)
		}
		assert.Equal(t, 1, here.Status().Repair.Open)
		gate.Open()
		synctest.Wait()
		sync2(t, here, there)
		time.Sleep(2 * time.Second)
		sync2(t, here, there)
		assert.Zero(t, here.Status().Repair.Open)
		assert.Len(t, s.Snapshot(), 1, "L2 had none of them, which proves nothing")
	})
}

// Without coherence L1 drops its copy, whatever the policy is.
func TestRepair_WithoutCoherence(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]writepolicy.Policy{
		"sequential": writepolicy.Sequential(), "L2 first": writepolicy.Sequential(writepolicy.L2First),
		"parallel": writepolicy.Parallel(), "optimistic": writepolicy.OptimisticParallel(),
		"race": writepolicy.Race(), "around": writepolicy.WriteAround(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repaired(t, func(t *testing.T, s *store, _, _ *instance, _ *resolutions) {
				l2, r := backendtest.WithFaults[string](s.Client()), new(resolutions)
				c, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithWritePolicy(policy), tiercache.WithDropDiverged(),
					tiercache.WithTelemetry(tracing.Disabled(), tracing.WithSlog(slog.New(r))))
				require.NoError(t, err)
				require.NoError(t, c.Set(t.Context(), "k", "v", 0))
				synctest.Wait() // for a detached call
				l2.Next(tier.Set, refuse)
				_ = c.Set(t.Context(), "k", "new", 0)
				synctest.Wait()
				assert.Equal(t, []string{"dropped"}, r.take())
				assert.Zero(t, c.Status().Repair.Open)
				entry, _, err := c.GetEntry(t.Context(), "k")
				require.NoError(t, err)
				assert.Equal(t, "v", entry.Value, "of L2")
				require.NoError(t, c.Close(t.Context()))
			})
		})
	}
}
