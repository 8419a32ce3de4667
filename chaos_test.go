package tiercache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	chaosRounds  = 50 // each with keys of its own, so that a report does not excuse a later round
	chaosKeys    = 8
	chaosWriters = 6
	chaosWrites  = 3  // of each writer in a round
	chaosFaults  = 20 // of 100 calls of a tier
)

// chaosSeed is TIERCACHE_SEED, or new at every run. It decides the writes and the
// faults, though not how goroutines are scheduled.
func chaosSeed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("TIERCACHE_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err, "TIERCACHE_SEED must be a number")
		return seed
	}
	return rand.Uint64()
}

// random makes numbers for many goroutines.
type random struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (r *random) intN(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rng.IntN(n)
}

// fault is a fault that strikes now and then, in all ways that there are.
func (r *random) fault() backendtest.Fault {
	boom := errors.New("boom")
	faults := []backendtest.Fault{
		backendtest.FailBefore(boom), backendtest.Lose(boom), backendtest.ApplyThenFail(boom),
		backendtest.Hang(), backendtest.ApplyThenHang(), backendtest.Panic(boom), backendtest.ApplyThenPanic(boom),
	}
	return func(ctx context.Context, apply func(context.Context) error) error {
		delayed := backendtest.Delay(time.Duration(r.intN(5)) * time.Millisecond)
		if r.intN(100) >= chaosFaults {
			return delayed(ctx, apply)
		}
		return backendtest.Chain(delayed, faults[r.intN(len(faults))])(ctx, apply)
	}
}

// chaos runs many writers on few keys, with faults in both tiers, and returns the
// values in the tiers and the keys that were reported.
func chaos(t *testing.T, p writepolicy.Policy, seed uint64) (f *fixture, c *recorder) {
	t.Helper()
	r := &random{rng: rand.New(rand.NewPCG(seed, 0))}
	c = newRecorder()
	tiers := tiercachetest.NewTiers[string]()
	tiers.L1.Described(backends.Description{System: "fake"}) // so that hanging ends in both
	for round := range chaosRounds {                         // so that a drop that fails leaves something behind
		for k := range chaosKeys {
			for _, m := range []*backendtest.Map[string]{tiers.Map1, tiers.Map2} {
				require.NoError(t, m.Set(t.Context(), chaosKey(round, k), backends.Entry[string]{Value: "old"}))
			}
		}
	}
	for _, faults := range []*backendtest.Faults[string]{tiers.L1, tiers.L2} {
		faults.Always(tier.Set, r.fault())
		faults.Always(tier.Delete, r.fault())
	}
	f = tiercachetest.Over(t, tiers, append(c.options(tracing.WithSlog(nil)),
		tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(20*time.Millisecond))...)

	for round := range chaosRounds {
		var wg sync.WaitGroup
		for writer := range chaosWriters {
			wg.Go(func() {
				for i := range chaosWrites {
					key := chaosKey(round, r.intN(chaosKeys))
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.intN(40))*time.Millisecond)
					if r.intN(4) == 0 {
						_ = f.Delete(ctx, key)
					} else {
						_ = f.Set(ctx, key, fmt.Sprintf("%d/%d/%d", round, writer, i), 0)
					}
					cancel()
				}
			})
		}
		wg.Wait()
	}
	require.NoError(t, f.Close(t.Context()))
	return f, c
}

func chaosKey(round, k int) string { return fmt.Sprintf("round %d, key %d", round, k) }

// silent returns the keys in which the tiers differ although nobody was told. A
// key that only L2 has is no difference where L1 is not filled by writes.
func silent(l1, l2 map[string]backends.Entry[string], reported map[string]bool, l1MayLack bool) (keys []string) {
	for key, e := range l1 {
		if l2[key] != e && !reported[key] {
			keys = append(keys, key)
		}
	}
	for key := range l2 {
		if _, ok := l1[key]; !ok && !l1MayLack && !reported[key] {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestChaos(t *testing.T) {
	t.Parallel()
	seed := chaosSeed(t)
	t.Logf("TIERCACHE_SEED=%d", seed)
	all := policies()
	all["race_cancel"] = writepolicy.Race(writepolicy.CancelLoser())
	for name, p := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, c := chaos(t, p, seed)
				reported := make(map[string]bool)
				for _, i := range c.Inconsistencies() {
					reported[i.Key] = true
				}
				l1, l2 := f.Map1.Snapshot(), f.Map2.Snapshot()
				around := writepolicy.NameOf(p) == "write_around"
				assert.Empty(t, silent(l1, l2, reported, around), "keys in which the tiers differ silently")

				// Nothing would be shown if all keys were reported, or none differed.
				assert.Less(t, len(reported), chaosRounds*chaosKeys)
				assert.NotEmpty(t, silent(l1, l2, nil, around),
					"with the events suppressed, the check must find what they reported")

				// The event is the same everywhere, and there once.
				assert.Len(t, c.Records(), len(c.Inconsistencies()))
				events := 0
				for _, s := range c.Spans() {
					events += len(s.Events())
				}
				assert.Equal(t, len(c.Inconsistencies()), events)
				assert.Equal(t, len(c.Inconsistencies()), counted(t, c))
			})
		})
	}
}

// counted is the sum of the counter of inconsistencies.
func counted(t *testing.T, c *recorder) (sum int) {
	t.Helper()
	for _, line := range c.metrics(t) {
		var n int
		if _, err := fmt.Sscanf(line, tracing.MetricInconsistencies+" {inconsistency} value=%d", &n); err == nil {
			sum += n
		}
		if strings.HasPrefix(line, tracing.MetricWriteDetached) {
			assert.Contains(t, line, "value=0 ")
		}
	}
	return sum
}
