package tracing

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/writepolicy"
)

// Lookup is what a read found.
type Lookup uint8

// The results of asking a tier, and of a read.
const (
	LookupHit   Lookup = iota // a value
	LookupMiss                // none
	LookupError               // nobody knows, because a tier failed
	lookupsOfTier

	LookupLoad     // no value in the tiers, and one from the loader
	LookupNegative // it is remembered that the loader found none
	LookupStale    // a value whose life has ended, because nothing better could be had
)

// String returns "hit", "miss", "error", "load", "negative" or "stale".
func (l Lookup) String() string {
	return [...]string{"hit", "miss", "error", "", "load", "negative", "stale"}[l]
}

// Counts are spread over stripes, so that processors
// that count at once do not fight for a cache line.
const (
	stripeBits = 5
	stripes    = 1 << stripeBits
)

// lookups counts what asking the tiers found. A hit in L1 is the most frequent
// thing that a cache does, so it must cost no more than an addition.
type lookups struct {
	counts [stripes]struct {
		n [2][lookupsOfTier]atomic.Int64
		_ [16]byte // a cache line each
	}
	attrs [2][lookupsOfTier][]metric.ObserveOption
	begin func(ctx context.Context) // called at every observation
}

func newLookups(meter metric.Meter, cache string, begin func(context.Context)) (*lookups, error) {
	l := &lookups{begin: begin}
	for tier := range l.attrs {
		for found := range lookupsOfTier {
			l.attrs[tier][found] = []metric.ObserveOption{metric.WithAttributeSet(attribute.NewSet(
				AttrCache.String(cache),
				AttrTier.String((writepolicy.L1 + TierID(tier)).String()),
				AttrLookupResult.String(found.String()),
			))}
		}
	}
	// The callback keeps the counts alive and nothing else of the cache, so that
	// the last of them are collected after the cache was closed.
	_, err := meter.Int64ObservableCounter(MetricLookups,
		metric.WithUnit("{lookup}"),
		metric.WithDescription("What asking a tier of a cache for a key found."),
		metric.WithInt64Callback(l.observe))
	return l, err
}

func (l *lookups) add(tier TierID, found Lookup) {
	l.counts[stripe()].n[tier-writepolicy.L1][found].Add(1)
}

// stripe differs for goroutines, which is what runs on a processor, by where
// their stacks are. It takes less time than a random number. That it is not the
// same for all calls of a goroutine, and the same for some goroutines, does not
// matter.
func stripe() uint32 {
	var here byte
	at := uint64(uintptr(unsafe.Pointer(&here))) >> 11 //nolint:gosec // the least size of a stack; never used as a pointer
	return uint32(at * 0x9e3779b97f4a7c15 >> (64 - stripeBits))
}

// observe also tells what has not happened yet: see [instruments.begin].
func (l *lookups) observe(ctx context.Context, o metric.Int64Observer) error {
	l.begin(ctx)
	for tier := range l.attrs {
		for found := range lookupsOfTier {
			var sum int64
			for i := range l.counts {
				sum += l.counts[i].n[tier][found].Load()
			}
			o.Observe(sum, l.attrs[tier][found]...)
		}
	}
	return nil
}

// Count counts what asking a tier found, where that is not observed as a
// [TierCall].
func (t *Telemetry) Count(tier TierID, found Lookup) {
	if t.meters != nil {
		t.meters.lookups.add(tier, found)
	}
}
