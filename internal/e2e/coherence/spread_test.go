package coherence

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// dropTimer is an L1 that notes when it drops entries.
type dropTimer struct {
	*otterbackend.Backend[string]
	dropped sync.Map // by key: time.Time
	n       atomic.Int64
}

func (d *dropTimer) Delete(ctx context.Context, key string) error {
	err := d.Backend.Delete(ctx, key)
	if _, again := d.dropped.LoadOrStore(key, time.Now()); !again {
		d.n.Add(1)
	}
	return err
}

// listener returns a cache, and its L1.
func listener(t *testing.T, addr string) (*tiercache.Cache[string], *dropTimer) {
	t.Helper()
	timer := &dropTimer{Backend: newL1(t)}
	return newCache(t, client{addr: addr}, timer, coherent()), timer
}

// The time from the begin of a Set in one cache until L1 of 20 others has dropped its entry,
// at 1,000 writes a second.
func TestSpread(t *testing.T) {
	const (
		listeners = 20
		writes    = 4000
		rest      = time.Millisecond
		mostP50   = 20 * time.Millisecond // of a machine that is busy
	)
	s := startServer(t)
	writer := newCache(t, client{addr: s.Addr}, newL1(t))
	all := names("user", writes)
	require.NoError(t, writer.SetMany(t.Context(), maps.All(same(all, "old")), 0))
	var timers []*dropTimer
	for range listeners {
		c, timer := listener(t, s.Addr)
		require.Eventually(t, func() bool { return c.Status().Coherence.Trusted }, patience, time.Millisecond)
		for some := range slices.Chunk(all, 500) {
			_, err := c.GetMany(t.Context(), some)
			require.NoError(t, err)
		}
		timers = append(timers, timer)
	}
	begun := make(map[string]time.Time, writes)
	start := time.Now()
	for i, key := range all {
		pause(t.Context(), time.Until(start.Add(time.Duration(i)*rest)))
		begun[key] = time.Now()
		require.NoError(t, writer.Set(t.Context(), key, "new", 0))
	}
	perSecond := writes / time.Since(start).Seconds()
	took := make([]time.Duration, 0, listeners*writes)
	for _, timer := range timers {
		require.Eventually(t, func() bool { return timer.n.Load() == writes }, patience, time.Millisecond)
		timer.dropped.Range(func(key, at any) bool {
			took = append(took, at.(time.Time).Sub(begun[key.(string)]))
			return true
		})
	}
	slices.Sort(took)
	quantile := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))] }
	report(t, "%.0f writes/s to %d others: dropped after p50 %v, p99 %v, at most %v",
		perSecond, listeners, quantile(0.5), quantile(0.99), quantile(1))
	require.Positive(t, took[0], "nothing was dropped before it was written")
	assert.LessOrEqual(t, quantile(0.5), mostP50)
	if os.Getenv("TIERCACHE_NIGHTLY") != "" {
		assert.LessOrEqual(t, quantile(0.99), 10*time.Millisecond)
	}
}
