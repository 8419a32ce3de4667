package telemetry

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// event is a thing that is counted: a place in counts.
type event int

// The events. A hit in L1 that no read was set up for counts as a lookup and as a
// read, and is added once.
const (
	fastHit event = iota
	readHitL1
	readHitL2
	readFencedL1
	readFencedL2
	readStale
	readKept
	readMiss
	readLoad
	readNegative
	readShared
	readError
	unstorable
	inconsistent // not resolved
	resolved
	lookups // a tier times a result
	events  = lookups + event(2*tier.TierLookups)
)

func lookupEvent(id tier.ID, found tier.Lookup) event {
	return lookups + event(int(id-tier.L1)*tier.TierLookups+int(found))
}

// readEvent returns the event of a read that was set up.
func readEvent(r ReadResult) event {
	inL2 := event(btoi(r.Tier == tier.L2))
	switch {
	case r.Found == tier.LookupError:
		return readError
	case r.Found == tier.LookupStale:
		return readStale
	case r.Found == tier.LookupNegative:
		return readNegative
	case r.Kept:
		return readKept
	case r.Shared:
		return readShared
	case r.Found == tier.LookupLoad:
		return readLoad
	case r.Found == tier.LookupMiss:
		return readMiss
	case r.Refill == tier.RefillFenced:
		return readFencedL1 + inL2
	default:
		return readHitL1 + inL2
	}
}

// readResult is the result of a read as its event names it.
func (e event) readResult() string {
	return [...]string{
		readHitL1: "hit", readHitL2: "hit", readFencedL1: "fenced", readFencedL2: "fenced", readStale: "stale", readKept: "kept",
		readMiss: "miss", readLoad: "load", readNegative: "negative", readShared: "shared", readError: "error",
	}[e]
}

// Counts are spread over stripes, so that processors that count at once do not
// contend for a cache line.
const (
	stripeBits = 5
	stripes    = 1 << stripeBits
)

// counts counts events. A hit in L1 is the most frequent operation of a cache, so
// counting it must cost no more than an addition.
type counts struct {
	n [stripes]struct {
		events [events]atomic.Int64
		_      [-events & 7]int64 // whole cache lines
	}
}

func (c *counts) add(e event) { c.n[stripe()].events[e].Add(1) }

func (c *counts) sum(e event) (sum int64) {
	for i := range c.n {
		sum += c.n[i].events[e].Load()
	}
	return sum
}

// stripe picks a counter by the address of the goroutine's stack: concurrent goroutines
// mostly differ, and it is cheaper than a random number. Two goroutines may share a
// stripe, and one may change it, without harm.
func stripe() uint32 {
	var here byte
	at := uint64(uintptr(unsafe.Pointer(&here))) >> 11 //nolint:gosec // the least size of a stack; never used as a pointer
	return uint32(at * 0x9e3779b97f4a7c15 >> (64 - stripeBits))
}

// series is one series of a counter: the events that count, and how many of them the
// counter has.
type series struct {
	events  []event
	attrs   metric.MeasurementOption
	flushed int64
}

// seriesOf returns the series of the counters of reads and of lookups.
func seriesOf(cache string) (reads, lookups []series) {
	newSeries := func(events []event, attrs ...attribute.KeyValue) series {
		set := attribute.NewSet(append(attrs, tracing.AttrCache.String(cache))...)
		return series{events: events, attrs: metric.WithAttributeSet(set)}
	}
	tierOf := map[event]tier.ID{
		readHitL1: tier.L1, readHitL2: tier.L2, readFencedL1: tier.L1, readFencedL2: tier.L2, readStale: tier.L1, readKept: tier.L1,
	}
	for e := readHitL1; e <= readError; e++ {
		attrs := attributes{tracing.AttrReadResult.String(e.readResult())}
		if id := tierOf[e]; id != 0 {
			attrs = append(attrs, tracing.AttrTier.String(id.String()))
		}
		reads = append(reads, newSeries(withFastHits(e, readHitL1), attrs...))
	}
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		for found := range tier.Lookup(tier.TierLookups) {
			e := lookupEvent(id, found)
			lookups = append(lookups, newSeries(withFastHits(e, lookupEvent(tier.L1, tier.LookupHit)),
				tracing.AttrTier.String(id.String()), tracing.AttrLookupResult.String(found.String())))
		}
	}
	return reads, lookups
}

func withFastHits(e, hitInL1 event) []event {
	if e == hitInL1 {
		return []event{e, fastHit}
	}
	return []event{e}
}

// counter is a counter and its series.
type counter struct {
	counter metric.Int64Counter
	series  []series
	begun   bool
}

// flush adds new counts to the counter, and 0 the first time: see
// [inconsistencies.begin].
func (c *counter) flush(ctx context.Context, counts *counts) {
	defer guard.Report()
	if !c.counter.Enabled(ctx) {
		return
	}
	for i := range c.series {
		s := &c.series[i]
		var sum int64
		for _, e := range s.events {
			sum += counts.sum(e)
		}
		if n := sum - s.flushed; n != 0 || !c.begun {
			c.counter.Add(ctx, n, s.attrs)
			s.flushed = sum
		}
	}
	c.begun = true
}
