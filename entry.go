package tiercache

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/engine"
	"github.com/tiercache/tiercache/tier"
)

// Entry is the result of [Cache.GetEntry].
type Entry[V any] struct {
	Value V

	// ExpiresAt is the instant at which the copy that was found expires. The copy in L1 may expire
	// before that in L2; see [WithL1TTL] and [WithMaxRefillTTL]. Zero: never.
	ExpiresAt time.Time

	// Tier is the tier that had the copy.
	Tier tier.ID

	// Stale reports that the value has expired and is returned in place of an error, or that
	// another process may have replaced it; see [WithStaleIfError] and [WithCoherence].
	Stale bool

	// Kept reports that L1 has a loaded value that L2 did not take; see [WithKeepLoaded].
	Kept bool

	// Version is the copy's place in the order of L2, and Source the version that its source has
	// given it; see [WithSourceVersion]. They are 0 if unknown: if L2 issues no versions, and for a
	// copy in L1 of a cache that is not coherent.
	Version backends.Version
	Source  uint64
}

// GetEntry is like [Cache.Get], and also returns the value's expiry, tier, version and flags. If L2
// cannot be read, it returns an expired value that L1 keeps by [WithStaleIfError], with Stale set;
// Get returns the error.
func (c *Cache[V]) GetEntry(ctx context.Context, key string, opts ...ReadOption) (entry Entry[V], ok bool, err error) {
	e, ok, err := c.engine.GetEntry(ctx, key, opts)
	return Entry[V](e), ok, err
}

// ReadOption changes one read: [SkipL1], [SkipL2], [Refresh] or [AtLeast]. They exclude each other:
// a read with two of them returns an error that wraps [ErrInvalid].
type ReadOption = engine.ReadOption

// SkipL1 makes a read ask L2 and not L1, for a value that another process may have replaced since
// L1 got it. The read refills L1 as usual. It never shares a read of L2 that began before it. With
// it, GetOrLoad also ignores what this process remembers by [WithNegativeTTL] and
// [WithStaleIfError]. It shares loads with others that skip L1.
func SkipL1() ReadOption { return engine.SkipL1 }

// SkipL2 makes a read ask L1 and not L2, for callers that cannot wait for L2. If L1 does not have
// the value, GetOrLoad loads it and writes it to both tiers. It shares loads with others that skip
// L2. See [WithConditionalLoads] for its effect there.
func SkipL2() ReadOption { return engine.SkipL2 }

// Refresh makes [Cache.GetOrLoad] load the value even if the tiers have one, and write it to them.
// It shares the load with others that refresh the key. When the loader finds no value, the key is
// deleted. When the loader fails, the tiers keep their values, and the caller gets the error, even
// with [WithStaleIfError]. Other reads return an error that wraps [ErrInvalid].
func Refresh() ReadOption { return engine.Refresh }

// AtLeast makes a read return an entry of version v or a later one. V is, for instance, the version
// that [Cache.GetEntry] returned in another process after its write; 0 is invalid. L1 answers if
// its entry is known to be as new, and L2 otherwise. If L2 has an older one, because it has lost
// its last changes or a replica lags behind, the error wraps [ErrOutdated]; if L2 knows nothing of
// the key, the read finds no value. L2 must issue versions, or the error wraps [ErrUnsupported]. It
// is for Get and GetEntry.
func AtLeast(v backends.Version) ReadOption { return engine.AtLeast(v) }
