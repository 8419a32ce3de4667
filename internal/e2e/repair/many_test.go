package repair

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/network"
)

const (
	manyKeys   = 10_000
	mostRepair = 64              // requests of repairs at a time
	mostTime   = 2 * time.Second // until all keys are closed
)

// counter is an L2 that counts how many requests are under way at a time.
type counter struct {
	*secondTier

	mu        sync.Mutex
	now, most int
}

func (c *counter) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.most = max(c.most, c.now)
}

func (c *counter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
}

// takeMost returns the greatest number since the last call.
func (c *counter) takeMost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := c.most
	c.most = c.now
	return most
}

func (c *counter) Write(ctx context.Context, w *backends.Write[string]) (backends.Result, error) {
	c.begin()
	defer c.end()
	return c.secondTier.Write(ctx, w)
}

func (c *counter) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[string], backends.Answer, error) {
	c.begin()
	defer c.end()
	return c.secondTier.GetIf(ctx, key, have)
}

// sets yields entries.
func sets(from, to int, value string) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for n := from; n < to; n++ {
			if !yield(manyKey(n), value) {
				return
			}
		}
	}
}

func manyKey(n int) string { return fmt.Sprintf("many:%d", n) }

// Ten thousand keys are open when L2 comes back: half of them were refused, and of half
// nobody knows. They are closed soon, with a bounded number of requests at a time.
func TestMany(t *testing.T) {
	s := startServer(t)
	var l2 *counter
	i := newInstance(t, s, func(second *secondTier) backends.Backend[string] {
		l2 = &counter{secondTier: second}
		return l2
	})
	fill(t, manyKeys, i)
	filled := time.Now()
	i.await(t, "it was told of all that", func() bool {
		s := i.Status().Coherence
		return s.Trusted && s.SyncedAge < time.Since(filled)
	})
	const batch = 1000

	i.network.Hold(network.Up)
	for from := 0; from < manyKeys/2; from += batch {
		require.ErrorIs(t, i.SetMany(t.Context(), sets(from, from+batch, "new"), 0), tiercache.ErrInconsistent)
	}
	i.network.CutOff()
	i.network.Release(network.Up)
	for from := manyKeys / 2; from < manyKeys; from += batch {
		require.Error(t, i.SetMany(t.Context(), sets(from, from+batch, "new"), 0))
	}
	require.Equal(t, manyKeys, i.Status().Repair.Open)
	pause(t.Context(), callLimit+2*margin)
	l2.takeMost()
	i.network.Mend()
	back, used := time.Now(), processorTime(t)
	const rest = 20 * time.Millisecond // each look sorts all keys
	require.Eventually(t, func() bool { return i.Status().Repair.Open == 0 }, patience, rest)
	took, used, most := time.Since(back), processorTime(t)-used, l2.takeMost()
	report(t, "%d keys were closed %v after L2 was back, in %v of processor time, with %d requests at a time at most",
		manyKeys, took.Round(time.Millisecond), used.Round(time.Millisecond), most)
	assert.LessOrEqual(t, took, mostTime+room(4*mostTime))
	assert.LessOrEqual(t, most, mostRepair)
	assert.Greater(t, most, mostRepair/2, "many are made at a time")
	r := i.Status().Repair
	assert.Zero(t, r.Dropped)
	i.checkMany(t, "new")
}

// checkMany finds a value in both tiers at all keys, of one version.
func (i *instance) checkMany(t *testing.T, want string) {
	t.Helper()
	for n := range manyKeys {
		entry, answer, err := i.l2.GetIf(t.Context(), manyKey(n), 0)
		require.NoError(t, err)
		require.Equal(t, want, entry.Value)
		here, stamp, _, err := i.l1.GetStamped(t.Context(), manyKey(n))
		require.NoError(t, err)
		require.Equal(t, want, here.Value)
		require.Equal(t, answer.Version, stamp.Version)
	}
}

// processorTime is that of this process so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
