package linearizability

import (
	"testing"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tiercachetest"
)

// writeTimeout ends writes of L2 that hang. It is longer than all delays.
const writeTimeout = 50 * time.Millisecond

// tiers are the two tiers of a cache, and the cache's reports.
type tiers struct {
	*tiercachetest.Tiers[string]
	reports *tiercachetest.Recorder
}

func newTiers() *tiers {
	return &tiers{tiercachetest.NewTiers[string](), tiercachetest.NewRecorder()}
}

// newCache returns one over the tiers.
func (w *tiers) newCache(t *testing.T, opts ...tiercache.Option) *tiercache.Cache[string] {
	t.Helper()
	return tiercachetest.Over(t, w.Tiers, append([]tiercache.Option{
		tiercache.WithWriteTimeout(writeTimeout),
		tiercache.WithMaxRefillTTL(0), // a limited copy in L1 never wins in a parallel read
		tiercache.WithInconsistencyHook(w.reports.Hook),
	}, opts...)...).Cache
}

// silent returns the keys that L1 has and L2 has differently, and that nobody
// was told of.
func (w *tiers) silent() (keys []string) {
	reported := make(map[string]bool)
	for _, i := range w.reports.Inconsistencies() {
		reported[i.Key] = true
	}
	l2 := w.Map2.Snapshot()
	for key, e := range w.Map1.Snapshot() {
		if !e.Expired(time.Now()) && l2[key].Value != e.Value && !reported[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
