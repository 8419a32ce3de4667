package telemetry

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/tracing"
)

// repairMeter is the metrics of repairs. Those of the ledger are observed, all of them
// from one reading of it, so that the opened less the repaired are those that are open, in
// every collection: counters to which one reader's collection adds would change while
// another reader collects.
type repairMeter struct {
	status atomic.Pointer[func() ledger.Status]

	scrubbed [scrubResults]atomic.Int64

	mu           sync.Mutex // guards the flushes
	counters     []flushed
	registration metric.Registration
	unregister   sync.Once
}

// ledgerMeter observes the state of a ledger.
type ledgerMeter struct {
	opened, closed metric.Int64ObservableCounter
	entries        metric.Int64ObservableUpDownCounter
	age            metric.Float64ObservableGauge

	causes      [ledger.Causes]metric.MeasurementOption
	resolutions [ledger.Resolutions]metric.MeasurementOption
	ofCache     metric.MeasurementOption
}

// lastReports is for how long the metrics of a closed cache are still observed: until
// readers that collect every minute have its last counts.
const lastReports = 5 * time.Minute

func newRepairMeter(mp meterProvider, cache string) (*repairMeter, error) {
	meter := mp.Meter(tracing.ScopeName, metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	set := func(attrs ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(attrs, tracing.AttrCache.String(cache))...))
	}
	m := &repairMeter{}
	l, err1 := newLedgerMeter(meter, set)
	scrubs, err2 := meter.Int64Counter(tracing.MetricScrubChecks, metric.WithUnit("{check}"),
		metric.WithDescription("Entries of L1 whose version was compared with L2, by the result."))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	for s := range m.scrubbed {
		attrs := set(tracing.AttrScrubResult.String(Scrubbed(s).String())) //nolint:gosec // it is small
		m.counters = append(m.counters, flushed{counter: scrubs, count: &m.scrubbed[s], attrs: attrs})
	}
	var err error
	m.registration, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		if get := m.status.Load(); get != nil {
			m.flush(ctx)
			s := (*get)()
			l.observe(o, &s)
		}
		return nil
	}, l.opened, l.closed, l.entries, l.age)
	return m, err
}

func newLedgerMeter(meter metric.Meter, set func(...attribute.KeyValue) metric.MeasurementOption) (l ledgerMeter, err error) {
	var errs [4]error
	l.opened, errs[0] = meter.Int64ObservableCounter(tracing.MetricLedgerAdditions, metric.WithUnit("{entry}"),
		metric.WithDescription("Writes after which the tiers of a key are to be repaired, by the cause."))
	l.closed, errs[1] = meter.Int64ObservableCounter(tracing.MetricRepairs, metric.WithUnit("{repair}"),
		metric.WithDescription("Ends of differences between the tiers, by their resolution."))
	l.entries, errs[2] = meter.Int64ObservableUpDownCounter(tracing.MetricLedgerEntries, metric.WithUnit("{entry}"),
		metric.WithDescription("Keys whose tiers may differ now, by the cause."))
	l.age, errs[3] = meter.Float64ObservableGauge(tracing.MetricLedgerOldestAge, metric.WithUnit("s"),
		metric.WithDescription("Time for which the tiers of a key have differed, of the key for which it is the longest; 0 if there is none."))
	for c := range l.causes {
		l.causes[c] = set(tracing.AttrLedgerCause.String(ledger.Cause(c).String())) //nolint:gosec // it is small
	}
	for r := range l.resolutions {
		l.resolutions[r] = set(tracing.AttrResolution.String(ledger.Resolution(r).String())) //nolint:gosec // it is small
	}
	l.ofCache = set()
	return l, errors.Join(errs[:]...)
}

func (l *ledgerMeter) observe(o metric.Observer, s *ledger.Status) {
	for c, n := range s.Opened {
		o.ObserveInt64(l.opened, int64(n), l.causes[c]) //nolint:gosec // it does not overflow
	}
	for r, n := range s.Closed {
		o.ObserveInt64(l.closed, int64(n), l.resolutions[r]) //nolint:gosec // it does not overflow
	}
	for c, n := range s.Causes {
		o.ObserveInt64(l.entries, int64(n), l.causes[c])
	}
	oldest := 0.0
	if !s.Oldest.IsZero() {
		oldest = time.Since(s.Oldest).Seconds()
	}
	o.ObserveFloat64(l.age, oldest, l.ofCache)
}

// Observe says where the metrics get the state from.
func (r *Repairs) Observe(status func() ledger.Status) {
	if r.meter != nil {
		r.meter.status.Store(&status)
	}
}

// flush adds new counts to the counters, and 0 the first time.
func (m *repairMeter) flush(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer guard.Report()
	for i := range m.counters {
		m.counters[i].flush(ctx)
	}
}

// close adds the last counts, and keeps the last state of the ledger for a while, so that
// every reader gets it. It may be called again.
func (r *Repairs) close(ctx context.Context) {
	if r != nil && r.meter != nil {
		r.meter.unregister.Do(func() { r.meter.close(ctx) })
	}
}

// close keeps nothing of a ledger that has had no entry, so that caches which come and go
// every moment do not wait for their ends in the thousands.
func (m *repairMeter) close(ctx context.Context) {
	var last ledger.Status
	if get := m.status.Load(); get != nil {
		m.flush(ctx)
		last = (*get)()
		final := func() ledger.Status { return last }
		m.status.Store(&final)
	}
	end := func() {
		defer guard.Report()
		_ = m.registration.Unregister() // there is nobody to be told
	}
	if opened, _ := last.Events(); opened == 0 {
		end()
		return
	}
	time.AfterFunc(lastReports, end)
}
