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

// repairMeter is the metrics of repairs. All of them come from one reading of the ledger,
// so that the opened less the repaired are those that are open, in every collection.
type repairMeter struct {
	status atomic.Pointer[func() ledger.Status]
	opened [ledger.Causes]atomic.Int64
	closed [ledger.Resolutions]atomic.Int64

	scrubbed [scrubResults]atomic.Int64

	mu           sync.Mutex // guards the flushes
	counters     []flushed
	registration metric.Registration
	unregister   sync.Once
}

func newRepairMeter(mp meterProvider, cache string) (*repairMeter, error) {
	meter := mp.Meter(tracing.ScopeName, metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	set := func(attrs ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(attrs, tracing.AttrCache.String(cache))...))
	}
	m := &repairMeter{}
	opened, err1 := meter.Int64Counter(tracing.MetricLedgerAdditions, metric.WithUnit("{entry}"),
		metric.WithDescription("Writes after which the tiers of a key are to be repaired, by the cause."))
	repairs, err2 := meter.Int64Counter(tracing.MetricRepairs, metric.WithUnit("{repair}"),
		metric.WithDescription("Ends of differences between the tiers, by their resolution."))
	entries, err3 := meter.Int64ObservableUpDownCounter(tracing.MetricLedgerEntries, metric.WithUnit("{entry}"),
		metric.WithDescription("Keys whose tiers may differ now, by the cause."))
	age, err4 := meter.Float64ObservableGauge(tracing.MetricLedgerOldestAge, metric.WithUnit("s"),
		metric.WithDescription("Time for which the tiers of a key have differed, of the key for which it is the longest; 0 if there is none."))
	scrubs, err5 := meter.Int64Counter(tracing.MetricScrubChecks, metric.WithUnit("{check}"),
		metric.WithDescription("Entries of L1 whose version was compared with L2, by the result."))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	var causes [ledger.Causes]metric.MeasurementOption
	for c := range causes {
		causes[c] = set(tracing.AttrLedgerCause.String(ledger.Cause(c).String())) //nolint:gosec // it is small
		m.counters = append(m.counters, flushed{counter: opened, count: &m.opened[c], attrs: causes[c]})
	}
	for r := range m.closed {
		attrs := set(tracing.AttrResolution.String(ledger.Resolution(r).String())) //nolint:gosec // it is small
		m.counters = append(m.counters, flushed{counter: repairs, count: &m.closed[r], attrs: attrs})
	}
	for s := range m.scrubbed {
		attrs := set(tracing.AttrScrubResult.String(Scrubbed(s).String())) //nolint:gosec // it is small
		m.counters = append(m.counters, flushed{counter: scrubs, count: &m.scrubbed[s], attrs: attrs})
	}
	ofCache := set()
	var err error
	m.registration, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		s, ok := m.flush(ctx)
		if !ok {
			return nil
		}
		for c, n := range s.Causes {
			o.ObserveInt64(entries, int64(n), causes[c])
		}
		oldest := 0.0
		if !s.Oldest.IsZero() {
			oldest = time.Since(s.Oldest).Seconds()
		}
		o.ObserveFloat64(age, oldest, ofCache)
		return nil
	}, entries, age)
	return m, err
}

// Observe says where the metrics get the state from.
func (r *Repairs) Observe(status func() ledger.Status) {
	if r.meter != nil {
		r.meter.status.Store(&status)
	}
}

// flush adds new counts to the counters, and 0 the first time.
func (m *repairMeter) flush(ctx context.Context) (s ledger.Status, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer guard.Report()
	get := m.status.Load()
	if get == nil {
		return s, false
	}
	s = (*get)()
	for c, n := range s.Opened {
		m.opened[c].Store(int64(n)) //nolint:gosec // it does not overflow
	}
	for r, n := range s.Closed {
		m.closed[r].Store(int64(n)) //nolint:gosec // it does not overflow
	}
	for i := range m.counters {
		m.counters[i].flush(ctx)
	}
	return s, true
}

// close adds the last counts, and unregisters the callback. It may be called again.
func (r *Repairs) close(ctx context.Context) (err error) {
	if r == nil || r.meter == nil {
		return nil
	}
	defer guard.Report()
	r.meter.unregister.Do(func() {
		r.meter.flush(ctx)
		err = r.meter.registration.Unregister()
	})
	return err
}
