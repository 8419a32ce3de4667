package coherence

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chaosTime is TIERCACHE_CHAOS, for instance 60s.
func chaosTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TIERCACHE_CHAOS")
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "TIERCACHE_CHAOS must be a duration")
	return d
}

// What a run of a minute must show at least.
const (
	leastHits      = 10_000_000
	leastContested = 100_000
	leastTrusted   = 0.9
)

// Eight processes share a server while all goes wrong that can. No hit in L1 that is not
// flagged is older than the bound.
func TestChaos(t *testing.T) {
	d := chaosTime(t)
	r := newRun(t, 2*d)
	r.start(instances, durable...)
	r.startProcesses()
	all := slices.Concat(networkTroubles(), serverTroubles(), processTroubles())
	begun := time.Now()
	minutes := d.Minutes()
	enough := func() bool { return float64(r.hits()) >= leastHits*minutes }
	made := 0
	for made == 0 || time.Since(begun) < d || !enough() && time.Since(begun) < 3*d/2 {
		if made%len(all) == 0 {
			r.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		}
		trouble := all[made%len(all)]
		r.wait(r.moment())
		t.Logf("%6.1f s: %s", time.Since(begun).Seconds(), trouble.name)
		r.inTrouble(func() { trouble.make(r) })
		made++
	}
	r.wait(time.Second)
	v := r.stop()
	assert.Empty(t, v.violations)
	assert.GreaterOrEqual(t, float64(v.hits), leastHits*minutes)
	assert.GreaterOrEqual(t, float64(v.contested), leastContested*minutes)
	assert.GreaterOrEqual(t, v.trusted(), leastTrusted)
	x := explain(r.board, r.lost, sampleSpan, r.rng.Perm(keys)[:keys/4])
	report(t, "%v", x)
	assert.Zero(t, x.without)
	assert.Greater(t, x.explained, 9*x.open)
	assert.Greater(t, x.explained, keys/4)
}
