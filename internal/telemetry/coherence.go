package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
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
	ctx := context.Background() // of no operation
	if e.Gap {
		c.meter.gap(ctx, e.Loss)
		return
	}
	t := c.tel
	event, severity, level := tracing.EventCoherenceLost, log.SeverityWarn, slog.LevelWarn
	text := t.target.Cache + ": hits in l1 are not trusted until l2's changes can be followed again: " + e.Cause
	attrs := attributes{
		tracing.AttrCache.String(t.target.Cache), tracing.AttrCoherenceCause.String(e.Cause),
		tracing.AttrCoherenceState.String(stateOf(e.Trusted)),
	}
	if e.Trusted {
		event, severity, level = tracing.EventCoherenceRestored, log.SeverityInfo, slog.LevelInfo
		text = t.target.Cache + ": hits in l1 are trusted again after " + e.Lasted.Round(time.Millisecond).String()
		attrs = append(attrs, tracing.AttrCoherenceDuration.Float64(e.Lasted.Seconds()))
	}
	if t.slog != nil && slogEnabled(ctx, t.slog, level) {
		defer logAttrs(ctx, t.slog, level, text, fieldsOf(event, nil, attrs))
	}
	if t.logger == nil || !logEnabled(ctx, t.logger, log.EnabledParameters{Severity: severity, EventName: event}) {
		return
	}
	var r log.Record
	r.SetEventName(event)
	r.SetTimestamp(e.At)
	r.SetSeverity(severity)
	r.SetSeverityText(severity.String())
	r.SetBody(attribute.StringValue(text))
	r.AddAttributes(attrs...)
	emit(ctx, t.logger, r)
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
