package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Inconsistent emits the event: on the span of late, the tier's call that ended
// after the write had returned, or on the span of the write when late is nil; as a
// log record; to the slog logger; and in the counter. It is called once. The ways are
// deferred, so that each is taken even if the one before ends the goroutine.
func (w *Write) Inconsistent(ctx context.Context, late *TierCall, i tier.Inconsistency) {
	t, now := w.tel, time.Now()
	if t.meters != nil {
		if i.Verdict.Resolved {
			t.meters.counts.add(resolved)
		} else {
			t.meters.counts.add(inconsistent)
		}
		defer t.meters.inconsistencies.add(ctx, i.Kind, i.Verdict)
	}
	span := w.span
	if late != nil && w.batch == nil { // the write's own span has ended without it
		late.makeSpan(ctx)
		if span = late.span; span != nil {
			setAttributes(span, tracing.AttrConsistent.Bool(i.Verdict.Resolved))
		}
	}
	onSpan := span != nil && t.events || w.batch != nil
	logged := (t.logger != nil || t.slog != nil) && t.limit.pass(i.Verdict.Resolved)
	if !onSpan && !logged {
		return
	}
	cause := i.Err()
	attrs := w.describe(i, cause)
	if logged {
		defer t.logSlog(ctx, i, cause, attrs)
		defer t.logRecord(ctx, now, i, cause, attrs)
	}
	switch {
	case !onSpan:
	case w.batch != nil:
		w.batch.inconsistent(ctx, late, now, i.Verdict.Resolved, attrs)
	default:
		addEvent(span, tracing.EventInconsistency, now, attrs)
	}
}

func (w *Write) describe(i tier.Inconsistency, cause error) attributes {
	attrs := attributes{
		tracing.AttrCache.String(i.Cache),
		tracing.AttrOperation.String(i.Kind.String()),
		tracing.AttrPolicy.String(i.Policy),
		tracing.AttrL1Outcome.String(i.L1.Outcome.String()),
		tracing.AttrL2Outcome.String(i.L2.Outcome.String()),
		tracing.AttrStaleTier.String(i.Verdict.Stale.String()),
		tracing.AttrCompensation.String(i.Verdict.Compensation.String()),
		tracing.AttrResolved.Bool(i.Verdict.Resolved),
	}
	if cause != nil {
		attrs = append(attrs, errorType(cause))
	} else {
		attrs = append(attrs, semconv.ErrorTypeOther)
	}
	if w.key != "" {
		attrs = append(attrs, tracing.AttrKey.String(w.key))
	}
	return slices.Clip(attrs)
}

func (t *Telemetry) logRecord(ctx context.Context, now time.Time, i tier.Inconsistency, cause error, attrs attributes) {
	if t.logger == nil {
		return
	}
	severity := log.SeverityError
	if i.Verdict.Resolved {
		severity = log.SeverityWarn
	}
	if !logEnabled(ctx, t.logger, log.EnabledParameters{Severity: severity, EventName: tracing.EventInconsistency}) {
		return
	}
	var r log.Record
	r.SetEventName(tracing.EventInconsistency)
	r.SetTimestamp(now)
	r.SetSeverity(severity)
	r.SetSeverityText(severity.String())
	r.SetBody(attribute.StringValue(i.String()))
	r.SetErr(cause) // its text does not quote the key
	r.AddAttributes(attrs...)
	emit(ctx, t.logger, r)
}

func (t *Telemetry) logSlog(ctx context.Context, i tier.Inconsistency, cause error, attrs attributes) {
	if t.slog == nil {
		return
	}
	level := slog.LevelError
	if i.Verdict.Resolved {
		level = slog.LevelWarn
	}
	if !slogEnabled(ctx, t.slog, level) {
		return
	}
	logAttrs(ctx, t.slog, level, i.String(), fieldsOf(tracing.EventInconsistency, cause, attrs))
}

// summarize logs how many inconsistencies the limit has held back.
func (t *Telemetry) summarize(held heldBack) {
	severity, level := log.SeverityWarn, slog.LevelWarn
	if held.unresolved {
		severity, level = log.SeverityError, slog.LevelError
	}
	text := fmt.Sprintf("%s: %d more inconsistencies within a second are not logged one by one", t.target.Cache, held.count)
	attrs := attributes{tracing.AttrCache.String(t.target.Cache), tracing.AttrSuppressed.Int64(held.count)}
	ctx := context.Background() // of no operation
	if t.slog != nil && slogEnabled(ctx, t.slog, level) {
		defer logAttrs(ctx, t.slog, level, text, fieldsOf(tracing.EventInconsistencySummary, nil, attrs))
	}
	if t.logger == nil || !logEnabled(ctx, t.logger, log.EnabledParameters{Severity: severity, EventName: tracing.EventInconsistencySummary}) {
		return
	}
	var r log.Record
	r.SetEventName(tracing.EventInconsistencySummary)
	r.SetTimestamp(time.Now())
	r.SetSeverity(severity)
	r.SetSeverityText(severity.String())
	r.SetBody(attribute.StringValue(text))
	r.AddAttributes(attrs...)
	emit(ctx, t.logger, r)
}

// fieldsOf returns the fields of a line of slog.
func fieldsOf(event string, cause error, attrs attributes) []slog.Attr {
	fields := make([]slog.Attr, 0, len(attrs)+2)
	fields = append(fields, slog.String("event", event))
	if cause != nil {
		fields = append(fields, slog.String("error", cause.Error()))
	}
	for _, a := range attrs {
		fields = append(fields, slog.Any(string(a.Key), a.Value.AsInterface()))
	}
	return fields
}
