package otterbackend

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/tracing"
)

// observe makes the figures of b observable until it is closed, or no longer
// reachable.
func (b *Backend[V]) observe(c config) error {
	provider := c.meterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	m := &instruments{meter: provider.Meter(scopeName,
		metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))}
	entries := m.upDownCounter(MetricEntryCount, "{entry}", "Number of entries in the store.")
	var weight metric.Int64ObservableUpDownCounter
	if c.hasWeight {
		weight = m.upDownCounter(MetricWeight, "{weight}", "Sum of the weights of the entries in the store.")
	}
	evictions := m.counter(MetricEvictions, "{entry}", "Number of entries that had to make room for others.")
	if m.err != nil {
		return fmt.Errorf("otterbackend: %w", m.err)
	}

	attrs := metric.WithAttributeSet(attribute.NewSet(AttrStore.String(c.name)))
	// The provider keeps the callback, which must not keep the store.
	pointer := weak.Make(b)
	registration, err := m.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		b := pointer.Value()
		if b == nil {
			return nil
		}
		stats := b.Stats()
		o.ObserveInt64(entries, int64(stats.Entries), attrs)
		o.ObserveInt64(evictions, saturated(stats.Evictions), attrs)
		if weight != nil {
			o.ObserveInt64(weight, saturated(stats.Weight), attrs)
		}
		return nil
	}, m.all...)
	if err != nil {
		return fmt.Errorf("otterbackend: %w", err)
	}
	b.registration = registration
	runtime.AddCleanup(b, func(r metric.Registration) { _ = r.Unregister() }, registration)
	return nil
}

// saturated returns n, or the largest int64 if n is greater.
func saturated(n uint64) int64 { return int64(min(n, math.MaxInt64)) } //nolint:gosec // cannot overflow

// instruments collects the observations of a callback, and the first error.
type instruments struct {
	meter metric.Meter
	all   []metric.Observable
	err   error
}

func (m *instruments) upDownCounter(name, unit, description string) metric.Int64ObservableUpDownCounter {
	i, err := m.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.add(i, err)
	return i
}

func (m *instruments) counter(name, unit, description string) metric.Int64ObservableCounter {
	i, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.add(i, err)
	return i
}

func (m *instruments) add(i metric.Observable, err error) {
	if m.err == nil {
		m.err = err
	}
	m.all = append(m.all, i)
}
