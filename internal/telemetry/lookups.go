package telemetry

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Counts are spread over stripes, so that processors that count at once do not
// contend for a cache line.
const (
	stripeBits = 5
	stripes    = 1 << stripeBits
)

// lookups counts the results of asking the tiers. A hit in L1 is the most frequent
// operation of a cache, so counting it must cost no more than an addition.
type lookups struct {
	counts [stripes]struct {
		n [2][tier.TierLookups]atomic.Int64
		_ [16]byte // a cache line each
	}
	attrs [2][tier.TierLookups][]metric.ObserveOption
	begin func(ctx context.Context) // called at every observation
}

func newLookups(meter metric.Meter, cache string, begin func(context.Context)) (*lookups, error) {
	l := &lookups{begin: begin}
	for i := range l.attrs {
		for found := range l.attrs[i] {
			l.attrs[i][found] = []metric.ObserveOption{metric.WithAttributeSet(attribute.NewSet(
				tracing.AttrCache.String(cache),
				tracing.AttrTier.String((tier.L1 + tier.ID(i)).String()),
				tracing.AttrLookupResult.String(tier.Lookup(found).String()),
			))}
		}
	}
	// The callback keeps the counts alive and nothing else of the cache, so that
	// the last of them are collected after the cache was closed.
	_, err := meter.Int64ObservableCounter(tracing.MetricLookups,
		metric.WithUnit("{lookup}"),
		metric.WithDescription("Results of asking a tier of a cache for a key."),
		metric.WithInt64Callback(l.observe))
	return l, err
}

func (l *lookups) add(id tier.ID, found tier.Lookup) {
	l.counts[stripe()].n[id-tier.L1][found].Add(1)
}

// stripe picks a counter by the address of the goroutine's stack: concurrent
// goroutines mostly differ, and it is cheaper than a random number. That two
// goroutines may share a stripe, or one may change it, does no harm.
func stripe() uint32 {
	var here byte
	at := uint64(uintptr(unsafe.Pointer(&here))) >> 11 //nolint:gosec // the least size of a stack; never used as a pointer
	return uint32(at * 0x9e3779b97f4a7c15 >> (64 - stripeBits))
}

// observe also reports the series that have had no event: see [instruments.begin].
func (l *lookups) observe(ctx context.Context, o metric.Int64Observer) error {
	l.begin(ctx)
	for i := range l.attrs {
		for found := range l.attrs[i] {
			var sum int64
			for s := range l.counts {
				sum += l.counts[s].n[i][found].Load()
			}
			o.Observe(sum, l.attrs[i][found]...)
		}
	}
	return nil
}
