package coherence

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names returns n keys.
func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s:%d", prefix, i)
	}
	return all
}

// same returns an entry with the value at each key.
func same(all []string, value string) map[string]string {
	m := make(map[string]string, len(all))
	for _, key := range all {
		m[key] = value
	}
	return m
}

// During an outage of five seconds others write other keys, 1,500 a second. The log has
// them all, so afterwards L1 still has what it had, and no value is asked for.
func TestOutage(t *testing.T) {
	t.Parallel()
	const (
		cut      = 5 * time.Second
		step     = 20 * time.Millisecond
		atOnce   = 30 // 1,500 a second
		leastHit = 0.99
	)
	s := startServer(t)
	f, other := newFollower(t, s), newCache(t, client{addr: s.Addr}, newL1(t))
	untouched, touched := names("untouched", 5000), names("touched", 500)
	require.NoError(t, other.SetMany(t.Context(), maps.All(same(untouched, "v")), 0))
	require.NoError(t, other.SetMany(t.Context(), maps.All(same(touched, "old")), 0))
	f.readAll(t, untouched)
	f.readAll(t, touched)
	require.Equal(t, len(untouched), f.readAll(t, untouched))

	before := len(f.events(t))
	f.network.CutOff()
	n := 0
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for begun := time.Now(); time.Since(begun) < cut; n += atOnce {
		<-ticker.C
		some := make(map[string]string, atOnce)
		for i := range atOnce {
			some[touched[(n+i)%len(touched)]] = "new"
		}
		require.NoError(t, other.SetMany(t.Context(), maps.All(some), 0))
	}
	require.False(t, f.Status().Coherence.Trusted, "the outage was longer than the bound")
	f.network.Mend()
	back := time.Now()
	f.awaitTrust(t)
	report(t, "%d writes while it was cut off; trusted %v after the connection was back", n, time.Since(back))
	hits := f.readAll(t, untouched)
	report(t, "%d of %d untouched entries are hits", hits, len(untouched))
	assert.GreaterOrEqual(t, float64(hits), leastHit*float64(len(untouched)))
	for _, key := range touched {
		require.Equal(t, "new (l2)", f.read(t, key))
	}
	assert.EqualValues(t, 1, f.Status().Coherence.Epoch)
	assert.Equal(t, []string{"lost overdue", "restored overdue"}, f.events(t)[before:])
	assert.Empty(t, f.gaps(t))
}

// After a gap, entries are compared with L2 one by one, and no value is moved.
func TestGaps_MoveNoValues(t *testing.T) {
	t.Parallel()
	const mostMoved = 0.05
	s := startServer(t)
	f := &gapFixture{newFollower(t, s), t, s, newCache(t, client{addr: s.Addr}, newL1(t))}
	hot := names("hot", 10_000)
	for i := 0; i < len(hot); i += 1000 {
		require.NoError(t, f.other.SetMany(t.Context(), maps.All(same(hot[i:i+1000], strings.Repeat("v", 1000))), 0))
	}
	received := func(do func()) int64 {
		before := f.network.Received()
		do()
		return f.network.Received() - before
	}
	refill := received(func() { require.Zero(t, f.readAll(t, hot)) })
	require.Equal(t, len(hot), f.readAll(t, hot))
	gaps["trimmed"].make(f)
	require.Eventually(t, func() bool { return f.Status().Coherence.Epoch > 1 }, patience, time.Millisecond)
	f.awaitTrust(t)
	compared := received(func() { require.Zero(t, f.readAll(t, hot)) })
	assert.Equal(t, len(hot), f.readAll(t, hot))
	report(t, "%d bytes from L2 fill %d entries of L1, and %d compare them after a gap: %.1f %%",
		refill, len(hot), compared, 100*float64(compared)/float64(refill))
	assert.LessOrEqual(t, float64(compared), mostMoved*float64(refill))
}
