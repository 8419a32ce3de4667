package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A tier that refuses the repair of a key is asked less and less often. An outage of L2 may
// have been the reason, so the key is tried anew after one.
func TestRepair_BacksOff(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, _ *store, here, there *instance, r *resolutions) {
		here.l1.Always(tier.Delete, refuse)
		here.l1.Next(tier.Set, refuse)
		require.NoError(t, here.Set(t.Context(), "k", "new", time.Hour), "L2 has it")
		before := here.l1.Calls(tier.Delete)
		here.beat(t, time.Minute)
		tried := here.l1.Calls(tier.Delete)
		assert.Greater(t, tried-before, 5)
		assert.Less(t, tried-before, 25)
		next := func() {
			for tried = here.l1.Calls(tier.Delete); here.l1.Calls(tier.Delete) == tried; {
				here.beat(t, 250*time.Millisecond)
			}
		}
		next()
		last := time.Now()
		next()
		assert.LessOrEqual(t, time.Since(last), 15*time.Second+250*time.Millisecond)
		here.l1.Clear() // the next attempt is five seconds away or more
		time.Sleep(bound + time.Second)
		require.NotEmpty(t, here.open())
		sync2(t, here, there)
		assert.Empty(t, here.open())
		assert.Equal(t, []string{"dropped"}, r.take())
	}, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
}

// A batch of reads does not return the value of L2 that a write was to replace.
func TestRepair_ReadsOfManyKeys(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, _ *store, here, there *instance, r *resolutions) {
		there.set(t, "older")
		require.NoError(t, there.Set(t.Context(), "other", "v", time.Hour))
		sync2(t, here, there)
		here.l2.Always(tier.Delete, refuse)
		require.Error(t, here.Delete(t.Context(), "k"))
		got, err := here.GetMany(t.Context(), []string{"k", "other"})
		require.NoError(t, err)
		assert.Equal(t, []tiercache.Found[string]{{}, {Value: "v", OK: true}}, got)
		here.up()
		here.beat(t, time.Second)
		assert.Equal(t, []string{"applied"}, r.take())
	})
}

// Attempts that hang do not let more in: one more may begin at each sign of L2.
func TestRepair_HangingAttempts(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, _ *store, here, there *instance, _ *resolutions) {
		here.down()
		for i := range 100 {
			require.Error(t, here.Set(t.Context(), string(rune('a'+i)), "new", time.Hour))
		}
		synctest.Wait()
		here.up()
		before := here.l2.Calls(tier.Get)
		here.l2.Always(tier.Get, backendtest.Delay(tiercache.DefaultReadTimeout/2))
		for i := range 5 {
			sync2(t, here, there)
			assert.LessOrEqual(t, here.l2.Calls(tier.Get)-before, i+2)
			time.Sleep(time.Millisecond)
		}
		here.up()
		here.beat(t, passed)
		assert.Zero(t, here.Status().Repair.Open)
	})
}

// A request that was lost may come after the one that repeats it. As long as it may, nobody
// knows the state of L2, although it has the value now.
func TestRepair_RepeatedByThePolicy(t *testing.T) {
	t.Parallel()
	again := writepolicy.PolicyFunc(func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
		_ = l2.Write(ctx)
		if err := l2.Write(ctx); err != nil {
			return err
		}
		return l1.Write(ctx)
	})
	repaired(t, func(t *testing.T, s *store, here, there *instance, _ *resolutions) {
		here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
		here.l1.Next(tier.Set, refuse)
		_ = here.Set(t.Context(), "k", "new", time.Hour)
		assert.Equal(t, []string{"unknown"}, here.open())
		assert.Equal(t, "new", inL2(s))
		time.Sleep(passed)
		sync2(t, here, there)
		assert.Empty(t, here.open())
		assert.Equal(t, "new", inL2(s))
	}, tiercache.WithWritePolicy(again))
}
