package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/tracing"
)

// Repairs is the telemetry of the keys whose tiers differ, and of their repairs.
type Repairs struct {
	tel   *Telemetry
	meter *repairMeter // nil: metrics are off
	name  string       // of the span
	start []trace.SpanStartOption
	logs  perSecond
}

// resolutionsPerSecond bounds the log records: after an outage of L2 thousands of keys are
// repaired within a second, and the metrics count them all.
const resolutionsPerSecond = 100

// Repairs returns the telemetry of repairs, nil for a cache that has none.
func (t *Telemetry) Repairs() *Repairs { return t.repairs }

func (t *Telemetry) newRepairs(mp meterProvider) (err error) {
	r := &Repairs{tel: t, name: "repair " + t.target.Cache, start: []trace.SpanStartOption{
		trace.WithNewRoot(),
		trace.WithAttributes(tracing.AttrCache.String(t.target.Cache), tracing.AttrOperation.String("repair")),
	}}
	if t.meters != nil {
		r.meter, err = newRepairMeter(mp, t.target.Cache)
	}
	t.repairs = r
	return err
}

// Repair is the telemetry of one attempt to repair a key.
type Repair struct{ operation }

// Prepare makes s ready for calls of tiers, which are shown if the attempt is.
func (r *Repairs) Prepare(s *Repair) { s.tel, s.silent = r.tel, true }

// Start begins to observe an attempt, which is linked to the write that diverged, and
// returns the context for all that belongs to it.
func (r *Repairs) Start(ctx context.Context, s *Repair, key string, note []byte) context.Context {
	s.silent = false
	if r.tel.tracer == nil {
		return ctx
	}
	opts := append([]trace.SpanStartOption(nil), r.start...)
	if sc := ReadNote(note); sc.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: sc}))
	}
	if r.tel.key != nil {
		if shown := formatKey(r.tel.key, key); shown != "" {
			opts = append(opts, trace.WithAttributes(tracing.AttrKey.String(shown)))
		}
	}
	in, span := startSpan(ctx, r.tel.tracer, r.name, opts)
	if span != nil && recording(span) {
		s.span = span
	}
	return in
}

// Resolved notes the resolution.
func (s *Repair) Resolved(e *ledger.Entry, r ledger.Resolution, now time.Time) {
	if s.span != nil {
		setAttributes(s.span, tracing.AttrLedgerCause.String(e.Cause.String()), tracing.AttrResolution.String(r.String()),
			tracing.AttrRepairAge.Float64(now.Sub(e.Since).Seconds()))
	}
}

// Failed notes the error of an attempt that will be repeated.
func (s *Repair) Failed(err error) {
	if s.span != nil {
		fail(s.span, err)
	}
}

// End ends the span.
func (s *Repair) End() {
	if s.span != nil {
		defer endSpan(s.span)
		s.setDurations()
	}
}

// Resolved emits the event. Ctx is that of the repair, or of the write that has ended the
// event.
func (r *Repairs) Resolved(ctx context.Context, e *ledger.Entry, res ledger.Resolution, now time.Time) {
	t := r.tel
	if !t.logs() || !r.logs.pass(now, resolutionsPerSecond) {
		return
	}
	severity := log.SeverityInfo
	if res == ledger.Dropped {
		severity = log.SeverityWarn
	}
	t.log(ctx, &logLine{
		event:    tracing.EventResolution,
		at:       now,
		severity: severity,
		text:     t.target.Cache + ": a difference between the tiers has ended: " + res.String(),
		attrs:    r.describe(e, res, now),
	})
}

func (r *Repairs) describe(e *ledger.Entry, res ledger.Resolution, now time.Time) attributes {
	attrs := attributes{
		tracing.AttrCache.String(r.tel.target.Cache), tracing.AttrLedgerCause.String(e.Cause.String()),
		tracing.AttrResolution.String(res.String()), tracing.AttrRepairAge.Float64(now.Sub(e.Since).Seconds()),
	}
	if sc := ReadNote(e.Note.Bytes()); sc.IsValid() {
		attrs = append(attrs, tracing.AttrRepairTraceID.String(sc.TraceID().String()))
	}
	if r.tel.key != nil {
		if shown := formatKey(r.tel.key, e.Key); shown != "" {
			attrs = append(attrs, tracing.AttrKey.String(shown))
		}
	}
	return attrs
}
