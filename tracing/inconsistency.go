package tracing

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/writepolicy"
)

// Inconsistency says that the tiers of a cache may differ in a key.
type Inconsistency struct {
	Cache  string
	Policy string
	Kind   writepolicy.Kind
	Key    string // for the hook of the cache; telemetry does not get it

	// L1 and L2 are what became of the write in each tier.
	L1, L2 writepolicy.TierResult

	// Verdict says which tier may be stale, what was tried to make good for it,
	// and whether that resolved the difference.
	Verdict writepolicy.Verdict
}

// String says it in a sentence, without the key.
func (i Inconsistency) String() string {
	text := i.Kind.String() + " " + i.Cache + ": l1 " + i.L1.Outcome.String() + ", l2 " + i.L2.Outcome.String()
	switch {
	case i.Verdict.Resolved:
		return text + ": the copy in l1 was dropped, so the tiers do not differ"
	case i.Verdict.Stale == 0:
		return text + ": the tiers may differ"
	case i.Kind == writepolicy.Delete:
		return text + ": the tiers may differ, " + i.Verdict.Stale.String() + " may still have the entry"
	default:
		return text + ": the tiers may differ, " + i.Verdict.Stale.String() + " may be stale"
	}
}

func (i Inconsistency) errorType() attribute.KeyValue {
	for _, err := range []error{i.L1.Err, i.L2.Err, i.L1.DropErr, i.L2.DropErr} {
		if err != nil {
			return errorType(err)
		}
	}
	return semconv.ErrorTypeOther
}

// Inconsistent emits the event: on the span of late, the tier's call that ended
// after the write had its answer, or on the span of the write when late is nil;
// as a log record; to the slog logger; and in the counter. It is called once.
func (w *Write) Inconsistent(ctx context.Context, late *TierCall, i Inconsistency) {
	t, now := w.tel, time.Now()
	if t.meters != nil {
		t.meters.countInconsistencies(ctx, 1, i.Cache, i.Kind, i.Verdict)
	}
	span := w.span
	if late != nil {
		span = late.span
	}
	if span != nil && late != nil { // the write's own span has been ended without it
		span.SetAttributes(AttrConsistent.Bool(i.Verdict.Resolved))
	}
	onSpan := span != nil && t.signals&SpanEvents != 0
	if !onSpan && t.logger == nil && t.slog == nil {
		return
	}
	attrs := w.describe(i)
	if onSpan {
		span.AddEvent(EventInconsistency, trace.WithTimestamp(now), trace.WithAttributes(attrs...))
	}
	t.logRecord(ctx, now, i, attrs)
	t.logSlog(ctx, i, attrs)
}

func (w *Write) describe(i Inconsistency) attributes {
	attrs := attributes{
		AttrCache.String(i.Cache),
		AttrOperation.String(i.Kind.String()),
		AttrPolicy.String(i.Policy),
		AttrL1Outcome.String(i.L1.Outcome.String()),
		AttrL2Outcome.String(i.L2.Outcome.String()),
		AttrStaleTier.String(i.Verdict.Stale.String()),
		AttrCompensation.String(i.Verdict.Compensation.String()),
		AttrResolved.Bool(i.Verdict.Resolved),
		i.errorType(),
	}
	if w.tel.key != nil {
		attrs = append(attrs, AttrKey.String(w.key))
	}
	return slices.Clip(attrs)
}

func (t *Telemetry) logRecord(ctx context.Context, now time.Time, i Inconsistency, attrs attributes) {
	if t.logger == nil {
		return
	}
	severity := log.SeverityError
	if i.Verdict.Resolved {
		severity = log.SeverityWarn
	}
	if !t.logger.Enabled(ctx, log.EnabledParameters{Severity: severity, EventName: EventInconsistency}) {
		return
	}
	var r log.Record
	r.SetEventName(EventInconsistency)
	r.SetTimestamp(now)
	r.SetSeverity(severity)
	r.SetSeverityText(severity.String())
	r.SetBody(attribute.StringValue(i.String()))
	r.AddAttributes(attrs...)
	t.logger.Emit(ctx, r)
}

func (t *Telemetry) logSlog(ctx context.Context, i Inconsistency, attrs attributes) {
	if t.slog == nil {
		return
	}
	level := slog.LevelError
	if i.Verdict.Resolved {
		level = slog.LevelWarn
	}
	if !t.slog.Enabled(ctx, level) {
		return
	}
	fields := make([]slog.Attr, 0, len(attrs)+1)
	fields = append(fields, slog.String("event.name", EventInconsistency))
	for _, a := range attrs {
		fields = append(fields, slog.Any(string(a.Key), a.Value.AsInterface()))
	}
	t.slog.LogAttrs(ctx, level, i.String(), fields...)
}
