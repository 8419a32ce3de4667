package telemetry

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

type instruments struct {
	operations      metric.Float64Histogram
	tierOperations  metric.Float64Histogram
	inconsistencies metric.Int64Counter
	detached        metric.Int64UpDownCounter
	lookups         *lookups
	ofCache         []metric.AddOption
	begun           atomic.Bool // the inconsistencies, at 0
}

// bounds are those of durations, in seconds: three a decade, from the
// microseconds of a store in the process to the seconds of a timeout.
func bounds() []float64 {
	return []float64{
		1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4,
		1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
	}
}

func newInstruments(mp metric.MeterProvider, cache string) (*instruments, error) {
	meter := mp.Meter(tracing.ScopeName, metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	operations, err := meter.Float64Histogram(tracing.MetricOperationDuration,
		metric.WithUnit("s"),
		metric.WithDescription("Duration of an operation of a cache, until it answers."),
		metric.WithExplicitBucketBoundaries(bounds()...))
	if err != nil {
		return nil, err
	}
	tierOperations, err := meter.Float64Histogram(tracing.MetricTierOperationDuration,
		metric.WithUnit("s"),
		metric.WithDescription("Duration of a call of one tier of a cache."),
		metric.WithExplicitBucketBoundaries(bounds()...))
	if err != nil {
		return nil, err
	}
	inconsistencies, err := meter.Int64Counter(tracing.MetricInconsistencies,
		metric.WithUnit("{inconsistency}"),
		metric.WithDescription("Operations after which the tiers of a cache may differ."))
	if err != nil {
		return nil, err
	}
	detached, err := meter.Int64UpDownCounter(tracing.MetricDetachedWrites,
		metric.WithUnit("{write}"),
		metric.WithDescription("Writes of a tier that go on after their operation has answered."))
	if err != nil {
		return nil, err
	}
	m := &instruments{
		operations:      operations,
		tierOperations:  tierOperations,
		inconsistencies: inconsistencies,
		detached:        detached,
		ofCache:         []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(tracing.AttrCache.String(cache)))},
	}
	m.lookups, err = newLookups(meter, cache, func(ctx context.Context) { m.begin(ctx, cache) })
	if err != nil {
		return nil, err
	}
	return m, nil
}

// begin has the counter of inconsistencies start at 0 for all that may come. A
// series whose first value is 1 has no increase, to Prometheus for one, so the
// first inconsistency would raise no alert. It is done when metrics are collected
// for the first time, because the SDK may come later than the cache, and not
// before the counter has been connected to it.
func (m *instruments) begin(ctx context.Context, cache string) {
	if m.begun.Load() || !m.inconsistencies.Enabled(ctx) {
		return
	}
	m.begun.Store(true)
	for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
		for _, stale := range []tier.ID{0, tier.L1, tier.L2} {
			for _, resolved := range []bool{false, true} {
				m.countInconsistencies(ctx, 0, cache, kind, tier.Verdict{Stale: stale, Resolved: resolved})
			}
		}
	}
}

// durations are the options of one series of a histogram: prebuilt for success,
// and what they are built from for errors.
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

func (m *instruments) countInconsistencies(
	ctx context.Context, n int64, cache string, kind tier.Kind, v tier.Verdict,
) {
	add(ctx, m.inconsistencies, n, metric.WithAttributes(
		tracing.AttrCache.String(cache),
		tracing.AttrOperation.String(kind.String()),
		tracing.AttrStaleTier.String(v.Stale.String()),
		tracing.AttrResolved.Bool(v.Resolved),
	))
}
