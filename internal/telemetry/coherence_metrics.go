package telemetry

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tracing"
)

type meterProvider = metric.MeterProvider

// coherenceMeter is the metrics of coherence. As those of reads, counts are added to the
// counters when metrics are collected: see [instruments].
type coherenceMeter struct {
	lag    metric.Float64Histogram
	status atomic.Pointer[func() coherence.Status]
	clock  *clockGauges

	outcomes [coherence.Outcomes]atomic.Int64
	gaps     [backends.Losses]atomic.Int64

	mu           sync.Mutex // guards the flushes
	counters     []flushed
	ofCache      metric.MeasurementOption
	registration metric.Registration
	unregister   sync.Once
}

// flushed is one series of a counter, and how much of it the counter has.
type flushed struct {
	counter metric.Int64Counter
	count   *atomic.Int64
	attrs   metric.MeasurementOption
	has     int64
	begun   bool
}

func newCoherenceMeter(mp meterProvider, cache string) (*coherenceMeter, error) {
	meter := mp.Meter(tracing.ScopeName, metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	set := func(attrs ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(attrs, tracing.AttrCache.String(cache))...))
	}
	m := &coherenceMeter{ofCache: set()}
	var errs [6]error
	m.lag, errs[0] = meter.Float64Histogram(tracing.MetricInvalidationLag, bounds(), metric.WithUnit("s"),
		metric.WithDescription("Time from a change in L2, by its clock, until this process took note of it, by its own clock."))
	var invalidations, gaps metric.Int64Counter
	invalidations, errs[1] = meter.Int64Counter(tracing.MetricInvalidations, metric.WithUnit("{invalidation}"),
		metric.WithDescription("Changes in L2 that this process took note of, by their effect on L1."))
	gaps, errs[2] = meter.Int64Counter(tracing.MetricCoherenceGaps, metric.WithUnit("{gap}"),
		metric.WithDescription("Times that changes in L2 may have been missed."))
	var status metric.Int64ObservableUpDownCounter
	status, errs[3] = meter.Int64ObservableUpDownCounter(tracing.MetricCoherenceStatus, metric.WithUnit("{cache}"),
		metric.WithDescription("1 for the state of coherence that the cache is in, and 0 for the other."))
	var age metric.Float64ObservableGauge
	age, errs[4] = meter.Float64ObservableGauge(tracing.MetricCoherenceSyncedAge, metric.WithUnit("s"),
		metric.WithDescription("Time since the instant up to which no change in L2 was missed."))
	m.clock, errs[5] = newClockGauges(meter)
	for o := range m.outcomes {
		m.counters = append(m.counters, flushed{
			counter: invalidations, count: &m.outcomes[o],
			attrs: set(tracing.AttrInvalidation.String(coherence.Outcome(o).String())),
		}) //nolint:gosec // it is small
	}
	for l := range m.gaps {
		m.counters = append(m.counters, flushed{
			counter: gaps, count: &m.gaps[l],
			attrs: set(tracing.AttrCoherenceCause.String(backends.Loss(l).String())),
		}) //nolint:gosec // it is small
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	states := [2]metric.MeasurementOption{
		set(tracing.AttrCoherenceState.String(stateOf(false))), set(tracing.AttrCoherenceState.String(stateOf(true))),
	}
	var err error
	m.registration, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		m.flush(ctx)
		m.clock.observe(o, m.ofCache)
		get := m.status.Load()
		if get == nil {
			return nil
		}
		s := (*get)()
		trusted := btoi(s.Trusted)
		o.ObserveInt64(status, int64(1-trusted), states[0])
		o.ObserveInt64(status, int64(trusted), states[1])
		if s.Synced >= 0 {
			o.ObserveFloat64(age, s.Synced.Seconds(), m.ofCache)
		}
		return nil
	}, status, age, m.clock.offset, m.clock.uncertainty)
	return m, err
}

// Observe says where the metrics get the state from.
func (c *Coherence) Observe(status func() coherence.Status) {
	if c.meter != nil {
		c.meter.status.Store(&status)
	}
}

// flush adds new counts to the counters, and 0 the first time: see
// [inconsistencies.begin].
func (m *coherenceMeter) flush(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer guard.Report()
	for i := range m.counters {
		m.counters[i].flush(ctx)
	}
}

// flush is called with the lock of the flushes.
func (f *flushed) flush(ctx context.Context) {
	if !f.counter.Enabled(ctx) {
		return
	}
	if n := f.count.Load(); n != f.has || !f.begun {
		f.counter.Add(ctx, n-f.has, f.attrs)
		f.has, f.begun = n, true
	}
}

func (m *coherenceMeter) counted(outcome coherence.Outcome, n int64) {
	if m != nil {
		m.outcomes[outcome].Add(n)
	}
}

func (m *coherenceMeter) gap(loss backends.Loss, n int) {
	if m != nil {
		m.gaps[loss].Add(int64(n))
	}
}

// processed counts the changes of a batch. How late those of other processes are is
// measured by two clocks, so it may be negative: then it counts as 0.
func (m *coherenceMeter) processed(b *coherence.Batch) {
	if m == nil {
		return
	}
	now, ctx := time.Now(), context.Background()
	for i, outcome := range b.Outcomes {
		if int(outcome) < coherence.Outcomes {
			m.outcomes[outcome].Add(1)
		}
		if at := b.Changes[i].At; outcome != coherence.Own && !at.IsZero() && measures(ctx, m.lag) {
			observe(ctx, m.lag, max(0, now.Sub(at).Seconds()), []metric.RecordOption{m.ofCache})
		}
	}
}

// close adds the last counts, and unregisters the callback. It may be called again.
func (c *Coherence) close(ctx context.Context) (err error) {
	if c == nil || c.meter == nil {
		return nil
	}
	defer guard.Report()
	c.meter.unregister.Do(func() {
		c.meter.flush(ctx)
		err = c.meter.registration.Unregister()
	})
	return err
}
