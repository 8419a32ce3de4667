package telemetry

import (
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/tiercache/tiercache/tracing"
)

// StoreClock returns a store's time now, and by how much the estimate may be wrong. Ok is
// false while nothing is known of the store's clock.
type StoreClock = func() (now time.Time, within time.Duration, ok bool)

// clockGauges show the estimate of L2's clock, by which L2 enforces the deadlines of
// writes.
type clockGauges struct {
	clock               atomic.Pointer[StoreClock] // nil: L2 enforces no deadlines
	offset, uncertainty metric.Float64ObservableGauge
}

func newClockGauges(meter metric.Meter) (*clockGauges, error) {
	g := &clockGauges{}
	var err1, err2 error
	g.offset, err1 = meter.Float64ObservableGauge(tracing.MetricClockOffset, metric.WithUnit("s"),
		metric.WithDescription("Time by which the clock of L2 is ahead of that of this process, as estimated; negative if it is behind."))
	g.uncertainty, err2 = meter.Float64ObservableGauge(tracing.MetricClockUncertainty, metric.WithUnit("s"),
		metric.WithDescription("Time by which the estimate of the offset may be wrong, either way."))
	return g, errors.Join(err1, err2)
}

// observe observes nothing while the clock is not known.
func (g *clockGauges) observe(o metric.Observer, ofCache metric.MeasurementOption) {
	get := g.clock.Load()
	if get == nil {
		return
	}
	now, within, ok := (*get)()
	if !ok {
		return
	}
	// Both are readings of wall clocks, whatever monotonic readings come with them.
	offset := now.Round(0).Sub(time.Now().Round(0))
	o.ObserveFloat64(g.offset, offset.Seconds(), ofCache)
	o.ObserveFloat64(g.uncertainty, within.Seconds(), ofCache)
}

// ObserveClock says where the metrics get the time of L2 from.
func (c *Coherence) ObserveClock(clock StoreClock) {
	if c.meter != nil {
		c.meter.clock.clock.Store(&clock)
	}
}
