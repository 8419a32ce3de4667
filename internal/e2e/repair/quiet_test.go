package repair

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
)

// margin is by how much a deadline is later than the timeout of its write, and by how much
// later it is certain to have passed.
const margin = 50 * time.Millisecond

// awaitQuiet waits until no key is open, and compares the time with the promise: two
// heartbeats after the last deadline has passed, and L2 has answered the instance's reader
// again. Stopped is when the last write ended, and back when the fault did.
func awaitQuiet(t *testing.T, stopped, back time.Time, instances ...*instance) {
	t.Helper()
	const poll = time.Millisecond
	deadline := stopped.Add(callLimit + 2*margin)
	closed, answered := make([]time.Time, len(instances)), make([]time.Time, len(instances))
	for left := len(instances); left > 0; pause(t.Context(), poll) {
		require.Less(t, time.Since(back), patience, "keys are still open")
		left = len(instances)
		for n, i := range instances {
			s := i.Status()
			if age := s.Coherence.SyncedAge; answered[n].IsZero() && age >= 0 && age < time.Since(back) {
				answered[n] = time.Now()
			}
			if closed[n].IsZero() && !answered[n].IsZero() && s.Repair.Open == 0 {
				closed[n] = time.Now()
			}
			if !closed[n].IsZero() {
				left--
			}
		}
	}
	for n := range instances {
		from := answered[n]
		if from.Before(deadline) {
			from = deadline
		}
		took := closed[n].Sub(from)
		report(t, "instance %d: L2 answers again %v after the fault, and the last deadline passes %v after it; all is closed %v after both",
			n, answered[n].Sub(back).Round(time.Millisecond), deadline.Sub(back).Round(time.Millisecond), took.Round(time.Millisecond))
		assert.LessOrEqual(t, took, 2*heartbeat+room(3*time.Second))
	}
}

// never is for a server that evicts nothing.
func never(string) bool { return false }

// compareTiers compares L1 of each instance with L2: what it shows as fresh, and all that
// it has when each key was read once. Where L2 may lack an entry that it had, because it
// has evicted it, L1 may have it.
func compareTiers(t *testing.T, truth *secondTier, mayLack func(key string) bool, instances ...*instance) {
	t.Helper()
	fresh, values := 0, 0
	for n, i := range instances {
		began := time.Now()
		i.await(t, "it knows all changes", func() bool {
			s := i.Status().Coherence
			return s.Trusted && s.SyncedAge < time.Since(began)
		})
		for k := range keys {
			key := keyName(k)
			want, answer, err := truth.GetIf(t.Context(), key, 0)
			require.NoError(t, err)
			if answer.Version == 0 && mayLack(key) {
				continue
			}
			entry, ok, err := i.GetEntry(t.Context(), key, tiercache.SkipL2())
			require.NoError(t, err)
			if ok {
				fresh++
				assert.Equal(t, want.Value, entry.Value, "instance %d, key %d: L1 shows it as fresh", n, k)
			}
			found, ok, err := i.GetEntry(t.Context(), key)
			require.NoError(t, err)
			assert.Equal(t, want.Value, found.Value, "instance %d, key %d", n, k)
			raw, stamp, held, err := i.l1.GetStamped(t.Context(), key)
			require.NoError(t, err)
			if held {
				values++
				assert.Equal(t, fmt.Sprint(want.Value, answer.Version), fmt.Sprint(raw.Value, stamp.Version), "instance %d, key %d: L1 has it", n, k)
				assert.True(t, ok)
			}
		}
	}
	require.Positive(t, values, "L1 has nothing")
	t.Logf("%d fresh entries of L1 before they were read, and %d after that, are those of L2", fresh, values)
}
