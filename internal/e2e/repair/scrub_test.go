package repair

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// scrubs returns the results of all checks of an instance so far, and their number.
func (i *instance) scrubs(t *testing.T) (results map[string]int64, all int64) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, i.readers[0].Collect(context.WithoutCancel(t.Context()), &data))
	results = make(map[string]int64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if points, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == tracing.MetricScrubChecks {
				for _, p := range points.DataPoints {
					name, _ := p.Attributes.Value(tracing.AttrScrubResult)
					results[name.AsString()] += p.Value
					all += p.Value
				}
			}
		}
	}
	return results, all
}

// fill writes the keys of many, and reads them all into L1 of each instance.
func fill(t *testing.T, n int, instances ...*instance) {
	t.Helper()
	const batch = 200
	soon := func(do func() error) { // on a machine that is busy, a call may be late
		err := do()
		for end := time.Now().Add(patience); err != nil && time.Now().Before(end); err = do() {
			pause(t.Context(), time.Millisecond)
		}
		require.NoError(t, err)
	}
	for from := 0; from < n; from += batch {
		soon(func() error {
			return instances[0].SetMany(t.Context(), sets(from, min(n, from+batch), "old"), 0)
		})
	}
	for _, i := range instances {
		for k := range n {
			soon(func() error {
				_, _, err := i.Get(t.Context(), manyKey(k))
				return err
			})
		}
	}
}

// An entry of L1 that is stale, and that nobody else would notice, is found in one pass.
func TestScrubber(t *testing.T) {
	t.Parallel()
	const entries = 2000
	s := startServer(t)
	here := newInstance(t, s, nil, tiercache.WithScrubber(entries))
	there := newInstance(t, s, nil)
	fill(t, entries, here, there)
	key := manyKey(entries / 2)
	is := func(want string, of tier.ID) func() bool {
		return func() bool {
			entry, _, err := here.GetEntry(t.Context(), key)
			return err == nil && entry.Value == want && entry.Tier == of && !entry.Stale
		}
	}
	here.await(t, "the entry is in L1", is("old", tier.L1))
	entry, stamp, _, err := here.l1.GetStamped(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, there.Set(t.Context(), key, "new", 0))
	here.await(t, "it was told", is("new", tier.L1))

	require.NoError(t, here.l1.SetStamped(t.Context(), key, entry, stamp))
	_, before := here.scrubs(t)
	begun := time.Now()
	require.True(t, is("old", tier.L1)(), "nobody notices")
	here.await(t, "it is found", func() bool {
		results, _ := here.scrubs(t)
		return results["stale"] > 0
	})
	results, all := here.scrubs(t)
	report(t, "one stale entry of %d was found after %v and %d checks, the bound of %v included: %v",
		entries, time.Since(begun).Round(time.Millisecond), all-before, bound, results)
	assert.Less(t, all-before, int64(2*entries+entries/10), "the pass that was under way, and one more")
	here.await(t, "it is corrected", is("new", tier.L1))
	results, _ = here.scrubs(t)
	assert.EqualValues(t, 1, results["stale"])
	assert.Zero(t, results["regressed"])
}

// checksOf is TIERCACHE_SCRUBS, the number of entries that are compared.
func checksOf(t *testing.T) int64 {
	t.Helper()
	text := os.Getenv("TIERCACHE_SCRUBS")
	if text == "" {
		return 100_000
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, "TIERCACHE_SCRUBS must be a number")
	return n
}

// While several instances write the entries that are compared, and answers are lost, there
// is no false alarm.
func TestScrubber_NoFalseAlarms(t *testing.T) { // alone, for it uses all processors
	const (
		entries = 10_000
		rest    = 2 * time.Millisecond
	)
	seed, want := seedOf(t), checksOf(t)
	s := startServer(t)
	var instances []*instance
	for _, p := range policies() {
		instances = append(instances, newInstance(t, s, nil, p, tiercache.WithScrubber(1_000_000)))
	}
	fill(t, entries, instances...)
	for _, i := range instances {
		i.network.Meet(func(sent []byte) network.Fate {
			if isScript(sent) && rand.IntN(2000) == 0 {
				return network.LoseAnswer
			}
			return network.Pass
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var users sync.WaitGroup
	for n := range usersEach * len(instances) {
		i, own := instances[n/usersEach], rand.New(rand.NewPCG(seed, uint64(n)))
		users.Go(func() {
			for pause(ctx, rest) {
				useOne(context.WithoutCancel(ctx), i, manyKey(own.IntN(entries)), own)
			}
		})
	}
	results, all := make(map[string]int64), int64(0)
	for begun := time.Now(); all < want; pause(ctx, heartbeat) {
		require.Less(t, time.Since(begun), patience+time.Duration(want)*time.Millisecond, "%d checks", all)
		all = 0
		clear(results)
		for _, i := range instances {
			own, n := i.scrubs(t)
			all += n
			for name, count := range own {
				results[name] += count
			}
		}
	}
	cancel()
	users.Wait()
	report(t, "%d checks: %v", all, results)
	assert.Zero(t, results["stale"]+results["regressed"])
	assert.Positive(t, results["match"])
	assert.Positive(t, results["lagging"])
}

// useOne writes, deletes or reads a key.
func useOne(ctx context.Context, i *instance, key string, own *rand.Rand) {
	switch n := own.IntN(10); {
	case n < 4:
		_ = i.Set(ctx, key, strconv.FormatUint(own.Uint64(), 10), 0)
	case n < 5:
		_ = i.Delete(ctx, key)
	default:
		_, _, _ = i.Get(ctx, key)
	}
}
