package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/tracing"
)

// Coherence is the telemetry of a cache that follows other processes.
type Coherence struct {
	tel   *Telemetry
	meter *coherenceMeter // nil: metrics are off
	name  string          // of the span
	start []trace.SpanStartOption
	child bool // a span is a child of the span of the write
	spans perSecond
}

var _ coherence.Observer = (*Coherence)(nil)

// Coherence returns the telemetry of coherence, nil for a cache that has none.
func (t *Telemetry) Coherence() *Coherence { return t.coherence }

// Happened implements [coherence.Observer].
func (c *Coherence) Happened(e coherence.Event) {
	if e.Gap {
		c.meter.gap(e.Loss, e.Gaps)
		return
	}
	ctx := context.Background() // of no operation
	t := c.tel
	l := logLine{
		event:    tracing.EventCoherenceLost,
		at:       e.At,
		severity: log.SeverityWarn,
		text:     t.target.Cache + ": hits in l1 are not trusted until l2's changes can be followed again: " + e.Cause,
		attrs: attributes{
			tracing.AttrCache.String(t.target.Cache), tracing.AttrCoherenceCause.String(e.Cause),
			tracing.AttrCoherenceState.String(stateOf(e.Trusted)),
		},
	}
	if e.Trusted {
		l.event, l.severity = tracing.EventCoherenceRestored, log.SeverityInfo
		l.text = t.target.Cache + ": hits in l1 are trusted again after " + e.Lasted.Round(time.Millisecond).String()
		l.attrs = append(l.attrs, tracing.AttrCoherenceDuration.Float64(e.Lasted.Seconds()))
	}
	t.log(ctx, &l)
}

func stateOf(trusted bool) string {
	if trusted {
		return "trusted"
	}
	return "lost"
}

// Counted implements [coherence.Observer].
func (c *Coherence) Counted(outcome coherence.Outcome, n int) { c.meter.counted(outcome, int64(n)) }

// newCoherence makes the telemetry of coherence.
func (t *Telemetry) newCoherence(mp meterProvider, children bool) (err error) {
	c := &Coherence{tel: t, name: "process " + t.target.Cache, child: children, start: []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(tracing.AttrCache.String(t.target.Cache), tracing.AttrOperation.String("process"),
			tracing.AttrInvalidation.String(coherence.Dropped.String())),
	}}
	if t.meters != nil {
		c.meter, err = newCoherenceMeter(mp, t.target.Cache)
	}
	t.coherence = c
	return err
}

// perSecond lets a number of events pass in each second.
type perSecond struct {
	mu     sync.Mutex
	second time.Time
	passed int
}

func (p *perSecond) pass(now time.Time, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.second) >= time.Second {
		p.second, p.passed = now, 0
	}
	p.passed++
	return p.passed <= most
}
