package telemetry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// instruments are the metrics of one cache.
//
// Reads are counted in the cache and added to its counters when metrics are collected,
// by a callback of the cache's own. So a hit costs an atomic addition; every series
// begins at 0; caches of equal names add up; and when a cache is closed, the callback
// goes and the counts stay. (A callback that is given when an instrument is created
// would serve none of this: the SDK drops the second one of the same instrument.)
//
// A cache has at most 12 series of a counter, so that 100 caches stay below the 2,000
// series of an instrument beyond which the SDK merges them.
type instruments struct {
	operations     metric.Float64Histogram
	tierOperations metric.Float64Histogram
	lockWait       metric.Float64Histogram
	staleAge       metric.Float64Histogram
	ofCache        metric.MeasurementOption

	inconsistencies inconsistencies
	counts          counts
	detached        atomic.Int64
	loads           atomic.Int64

	mu                         sync.Mutex // guards the counters, and the begin of inconsistencies
	reads, lookups, unstorable counter
	registration               metric.Registration
	unregister                 sync.Once
}

// bounds are those of durations, in seconds: three a decade, from the
// microseconds of a store in the process to the seconds of a timeout.
func bounds() metric.HistogramOption {
	return metric.WithExplicitBucketBoundaries(
		1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4,
		1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
	)
}

func newInstruments(mp metric.MeterProvider, cache string) (*instruments, error) {
	meter := mp.Meter(tracing.ScopeName, metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	m := &instruments{ofCache: metric.WithAttributeSet(attribute.NewSet(tracing.AttrCache.String(cache)))}
	var errs [10]error
	m.operations, errs[0] = meter.Float64Histogram(tracing.MetricOperationDuration, bounds(), metric.WithUnit("s"),
		metric.WithDescription("Duration of an operation of a cache, until it returns. Hits in L1 are not measured."))
	m.tierOperations, errs[1] = meter.Float64Histogram(tracing.MetricTierOperationDuration, bounds(), metric.WithUnit("s"),
		metric.WithDescription("Duration of a call of one tier of a cache."))
	m.lockWait, errs[2] = meter.Float64Histogram(tracing.MetricLockWaitDuration, bounds(), metric.WithUnit("s"),
		metric.WithDescription("Time for which a write waited for other writers of its key. Writes that did not wait are not counted."))
	m.staleAge, errs[3] = meter.Float64Histogram(tracing.MetricStaleAge, metric.WithUnit("s"),
		metric.WithDescription("Time since a stale value expired that a read returned because no better one was to be had."),
		metric.WithExplicitBucketBoundaries(0.1, 1, 5, 15, 60, 300, 900, 3600, 4*3600, 24*3600))
	m.inconsistencies = newInconsistencies(cache)
	m.inconsistencies.counter, errs[4] = meter.Int64Counter(tracing.MetricInconsistencies, metric.WithUnit("{inconsistency}"),
		metric.WithDescription("Writes after which the tiers of a cache may differ."))
	m.reads.series, m.lookups.series = seriesOf(cache)
	m.reads.counter, errs[5] = meter.Int64Counter(tracing.MetricReads, metric.WithUnit("{read}"),
		metric.WithDescription("Reads of a cache, by their result."))
	m.lookups.counter, errs[6] = meter.Int64Counter(tracing.MetricLookups, metric.WithUnit("{lookup}"),
		metric.WithDescription("Results of asking a tier of a cache for a key."))
	detached, err1 := meter.Int64ObservableUpDownCounter(tracing.MetricWriteDetached, metric.WithUnit("{write}"),
		metric.WithDescription("Writes of a tier that go on after their operation has returned."))
	loads, err2 := meter.Int64ObservableUpDownCounter(tracing.MetricLoadActive, metric.WithUnit("{load}"),
		metric.WithDescription("Loads under way, each shared by all callers of its key."))
	errs[7], errs[8] = err1, err2
	m.unstorable.series = []series{{events: []event{unstorable}, attrs: m.ofCache}}
	m.unstorable.counter, errs[9] = meter.Int64Counter(tracing.MetricUnstorableValues, metric.WithUnit("{value}"),
		metric.WithDescription("Loaded values that a tier can never store, so that they are loaded again and again."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	var err error
	m.registration, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		m.flush(ctx)
		o.ObserveInt64(detached, m.detached.Load(), m.ofCache)
		o.ObserveInt64(loads, m.loads.Load(), m.ofCache)
		return nil
	}, detached, loads)
	return m, err
}

// flush adds to the counters all counts since the last flush.
func (m *instruments) flush(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inconsistencies.begin(ctx)
	m.reads.flush(ctx, &m.counts)
	m.lookups.flush(ctx, &m.counts)
	m.unstorable.flush(ctx, &m.counts)
}

// close adds the last counts, and unregisters the callback. It may be called again.
func (m *instruments) close(ctx context.Context) (err error) {
	defer guard.Report()
	m.unregister.Do(func() {
		m.flush(ctx)
		err = m.registration.Unregister()
	})
	return err
}

// durations are the options of one series of a histogram: prebuilt for success, and
// the attributes that they are built from for errors.
type durations struct {
	attrs    attributes
	prebuilt []metric.RecordOption
}

func newDurations(attrs attributes) durations {
	return durations{
		attrs:    attrs,
		prebuilt: []metric.RecordOption{metric.WithAttributes(attrs...)}, // which copies; NewSet would sort attrs
	}
}

func (d *durations) record(ctx context.Context, h metric.Float64Histogram, start time.Time, err error) {
	elapsed := time.Since(start).Seconds()
	if err == nil {
		observe(ctx, h, elapsed, d.prebuilt)
		return
	}
	observe(ctx, h, elapsed, []metric.RecordOption{
		metric.WithAttributes(append(slices.Clip(d.attrs), errorType(err))...),
	})
}

func (m *instruments) recordSeconds(ctx context.Context, h metric.Float64Histogram, d time.Duration) {
	observe(ctx, h, d.Seconds(), []metric.RecordOption{m.ofCache})
}

// inconsistencies is the counter of inconsistencies. They are rare, and added at once,
// so that an exemplar leads to the trace.
type inconsistencies struct {
	counter metric.Int64Counter
	options [2][3][2][]metric.AddOption // by operation, stale tier, resolved or not
	begun   bool
}

func newInconsistencies(cache string) (c inconsistencies) {
	for kind := range c.options {
		for stale := range c.options[kind] {
			for resolved := range c.options[kind][stale] {
				c.options[kind][stale][resolved] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
					tracing.AttrCache.String(cache),
					tracing.AttrOperation.String((tier.Set + tier.Kind(kind)).String()),
					tracing.AttrStaleTier.String(tier.ID(stale).String()),
					tracing.AttrResolved.Bool(resolved == 1),
				))}
			}
		}
	}
	return c
}

func (c *inconsistencies) add(ctx context.Context, kind tier.Kind, v tier.Verdict) {
	add(ctx, c.counter, 1, c.options[kind-tier.Set][v.Stale][btoi(v.Resolved)]...)
}

// begin adds 0 to every series, once: a series whose first value is 1 has no increase,
// to Prometheus for one, so the first inconsistency would raise no alert. It waits
// until the counter is connected, because the SDK may come later than the cache.
func (c *inconsistencies) begin(ctx context.Context) {
	defer guard.Report()
	if c.begun || !c.counter.Enabled(ctx) {
		return
	}
	c.begun = true
	for kind := range c.options {
		for stale := range c.options[kind] {
			for _, options := range c.options[kind][stale] {
				c.counter.Add(ctx, 0, options...)
			}
		}
	}
}
