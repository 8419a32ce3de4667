package redis_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// BenchmarkLogFanOut is how long it takes until 20 readers know of a change, at 1,000 changes
// a second. All of them share this machine.
func BenchmarkLogFanOut(b *testing.B) {
	const readers, pace = 20, time.Millisecond
	s := startRedis(b)
	_, writer := loggedAt(b, s.Addr)
	sinks := make([]*followed, readers)
	for i := range sinks {
		_, reader := loggedAt(b, s.Addr)
		sinks[i] = watchOf(b, reader)
		sinks[i].isSynced(b)
	}
	sent := make(map[backends.Version]time.Time)
	next := time.Now()
	for i := 0; b.Loop(); i++ {
		next = next.Add(pace)
		time.Sleep(time.Until(next))
		at := time.Now()
		r, err := writer.Write(b.Context(), set(strconv.Itoa(i), write{}))
		require.NoError(b, err)
		sent[r.Version] = at
	}
	var took []time.Duration
	for _, sink := range sinks {
		require.Eventually(b, func() bool { return sink.count() == len(sent) }, patience, time.Millisecond)
		for i, v := range sink.versions() {
			took = append(took, sink.at[i].Sub(sent[v]))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
