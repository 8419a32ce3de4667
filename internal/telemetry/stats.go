package telemetry

import "github.com/tiercache/tiercache/tier"

// Stats are the counts of a cache since it was made.
type Stats struct {
	Counted        bool
	Lookups        tier.Pair[[tier.TierLookups]int64]
	Reads          map[string]int64 // by result
	Inconsistent   int64
	Resolved       int64
	DetachedWrites int64
	ActiveLoads    int64
}

// Stats returns the counts, which are kept where metrics are on.
func (t *Telemetry) Stats() Stats {
	m := t.meters
	if m == nil {
		return Stats{}
	}
	s := Stats{
		Counted:        true,
		Reads:          make(map[string]int64, readError),
		Inconsistent:   m.counts.sum(inconsistent),
		Resolved:       m.counts.sum(resolved),
		DetachedWrites: m.detached.Load(),
		ActiveLoads:    m.loads.Load(),
	}
	fast := m.counts.sum(fastHit)
	for found := range tier.Lookup(tier.TierLookups) {
		s.Lookups.L1[found] = m.counts.sum(lookupEvent(tier.L1, found))
		s.Lookups.L2[found] = m.counts.sum(lookupEvent(tier.L2, found))
	}
	for e := readHitL1; e <= readError; e++ {
		s.Reads[e.readResult()] += m.counts.sum(e)
	}
	s.Lookups.L1[tier.LookupHit] += fast
	s.Reads[readHitL1.readResult()] += fast
	return s
}
