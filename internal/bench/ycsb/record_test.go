package ycsb

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testRecords    = 1000
	testOperations = 40_000
	testThreads    = 16
)

func recorded(t *testing.T, name string) (workload, *trace) {
	t.Helper()
	i := slices.IndexFunc(workloads(), func(w workload) bool { return w.name == name })
	w := workloads()[i]
	got, err := recordTrace(t.Context(), w, testRecords, testOperations, testThreads)
	require.NoError(t, err)
	require.Len(t, got.ops, testOperations)
	return w, got
}

// The sequences have the operations of the definitions, on keys that exist.
func TestRecordProportions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"A", "B", "C", "D", "F"} {
		w, got := recorded(t, name)
		var counts [modify + 1]float64
		for _, op := range got.ops {
			counts[op.kind] += 1.0 / testOperations
		}
		for kind, want := range map[kind]float64{read: w.read, update: w.update, insert: w.insert, modify: w.modify} {
			assert.InDelta(t, want, counts[kind], 0.02, "workload %s, kind %d", name, kind)
		}
		keys := slices.Sorted(slices.Values(got.keys))
		assert.Len(t, slices.Compact(keys), len(got.keys), "all keys are different")
		assert.Len(t, got.inserted(), int(counts[insert]*testOperations+0.5))
	}
}

// A scrambled Zipf distribution of YCSB: the hottest of its 10^10 items has the share
// 1/26.47, every item is a key by its hash, and the hot keys are spread.
func TestRecordScrambledZipf(t *testing.T) {
	t.Parallel()
	_, got := recorded(t, "C")
	counts := make([]float64, testRecords)
	for _, op := range got.ops {
		counts[op.key] += 1.0 / testOperations
	}
	sorted := slices.Sorted(slices.Values(counts))
	slices.Reverse(sorted)
	assert.InDelta(t, 1/26.47, sorted[0], 0.006)
	assert.InDelta(t, 1/26.47/1.986, sorted[1], 0.006) // 2^0.99
	assert.Positive(t, sorted[testRecords-10], "cold keys are asked for too")

	hot := 0 // of the ten hottest keys, those in the first half
	for _, count := range sorted[:10] {
		if slices.Index(counts, count) < testRecords/2 {
			hot++
		}
	}
	assert.Positive(t, hot)
	assert.Less(t, hot, 10)
}

// Workload D asks for what was inserted last: by the same Zipf distribution over all
// keys there are, counted from the newest. A key is asked for only when every other
// thread has had a turn since its insert began.
func TestRecordLatest(t *testing.T) {
	t.Parallel()
	_, got := recorded(t, "D")
	begun := map[int32]int{}
	var reads, near float64
	inserts := 0
	for i, op := range got.ops {
		if op.kind == insert {
			require.Equal(t, int(op.after), inserts, "inserts are in order")
			begun[op.after] = i
			inserts++
			continue
		}
		reads++
		if age := testRecords + inserts - int(op.key); age <= 100 {
			near++
		}
		if op.after != none {
			began, ok := begun[op.after]
			require.True(t, ok, "operation %d asks for a key that nobody has inserted", i)
			require.GreaterOrEqual(t, i-began, testThreads)
		}
	}
	// The sum of 1/n^0.99 to 100, over that to 1,000 and to 3,000.
	assert.InDelta(t, 0.64, near/reads, 0.09)
}
