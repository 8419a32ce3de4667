package tiercache

import "github.com/tiercache/tiercache/tier"

// Stats are the counts of one cache since it was made. Each is that of a metric; see
// package tracing. More fields may be added.
type Stats struct {
	// Counted is false where a no-op meter provider turns metrics off. Nothing is
	// counted then, and all other fields are 0.
	Counted bool

	// L1 and L2 count how often each tier was asked for a key.
	L1, L2 Lookups

	// Reads counts reads of the cache by their result.
	Reads Reads

	// Inconsistencies counts the inconsistencies that were not resolved, and
	// ResolvedInconsistencies those that compensation resolved.
	Inconsistencies, ResolvedInconsistencies int64

	// DetachedWrites is the number of writes of a tier that still run although their operation has
	// returned.
	DetachedWrites int64

	// ActiveLoads is the number of loads under way now.
	ActiveLoads int64
}

// Lookups counts the results of asking one tier.
type Lookups struct{ Hits, Misses, Errors int64 }

// Reads counts reads by their result, the attribute tiercache.read.result.
type Reads struct {
	Hits, Misses, Loads, Negative, Stale, Kept, Fenced, Shared, Errors int64
}

// Name returns the name that was given to New.
func (c *Cache[V]) Name() string { return c.engine.Name() }

// Stats returns the counts since the cache was created. They are the counts of the metrics, so they
// cost nothing extra, and there are none if a no-op meter provider turns metrics off. Adding them
// up takes a few microseconds: call Stats for a page or a test, not on every request. It is safe
// for concurrent use; an operation under way may be counted in part.
func (c *Cache[V]) Stats() Stats {
	s := c.engine.Stats()
	lookups := func(n [tier.TierLookups]int64) Lookups {
		return Lookups{Hits: n[tier.LookupHit], Misses: n[tier.LookupMiss], Errors: n[tier.LookupError]}
	}
	return Stats{
		Counted: s.Counted,
		L1:      lookups(s.Lookups.L1),
		L2:      lookups(s.Lookups.L2),
		Reads: Reads{
			Hits: s.Reads["hit"], Misses: s.Reads["miss"], Loads: s.Reads["load"], Negative: s.Reads["negative"],
			Stale: s.Reads["stale"], Kept: s.Reads["kept"], Fenced: s.Reads["fenced"], Shared: s.Reads["shared"],
			Errors: s.Reads["error"],
		},
		Inconsistencies:         s.Inconsistent,
		ResolvedInconsistencies: s.Resolved,
		DetachedWrites:          s.DetachedWrites,
		ActiveLoads:             s.ActiveLoads,
	}
}
