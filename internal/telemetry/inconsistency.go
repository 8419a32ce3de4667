package telemetry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Inconsistent emits the event: on the span of late, the tier's call that ended
// after the write had returned, or on the span of the write when late is nil; as a
// log record; to the slog logger; and in the counter. It is called once. The ways are
// deferred, so that each is taken even if the one before ends the goroutine.
func (w *Write) Inconsistent(ctx context.Context, late *TierCall, i tier.Inconsistency) {
	t, now, done := w.tel, time.Now(), i.Verdict.Resolved
	if t.meters != nil {
		t.meters.counts.add(inconsistencyEvent(done))
		defer t.meters.inconsistencies.add(ctx, i.Kind, i.Verdict)
	}
	span := w.eventSpan(ctx, late, done)
	onSpan := span != nil || w.batch != nil
	logged := t.logs() && t.limit.pass(done)
	if !onSpan && !logged {
		return
	}
	cause := i.Err()
	attrs := w.describe(i, cause)
	if logged {
		defer t.log(ctx, &logLine{tracing.EventInconsistency, now, severityOf(done), i.String(), cause, attrs})
	}
	switch {
	case !onSpan:
	case w.batch != nil:
		w.batch.inconsistent(ctx, late, now, done, attrs)
	default:
		addEvent(span, tracing.EventInconsistency, now, attrs)
	}
}

// inconsistencyEvent returns the event by which an inconsistency is counted.
func inconsistencyEvent(done bool) event {
	if done {
		return resolved
	}
	return inconsistent
}

// severityOf returns the severity of an inconsistency.
func severityOf(resolved bool) log.Severity {
	if resolved {
		return log.SeverityWarn
	}
	return log.SeverityError
}

// eventSpan returns the span that gets the event of a single write, nil for none: that of
// late if the write's own span has ended without it.
func (w *Write) eventSpan(ctx context.Context, late *TierCall, resolved bool) trace.Span {
	span := w.span
	if late != nil && w.batch == nil {
		late.makeSpan(ctx)
		if span = late.span; span != nil {
			setAttributes(span, tracing.AttrConsistent.Bool(resolved))
		}
	}
	if !w.tel.events {
		return nil
	}
	return span
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

// summarize logs how many inconsistencies the limit has held back.
func (t *Telemetry) summarize(held heldBack) {
	t.log(context.Background(), &logLine{ // of no operation
		event:    tracing.EventInconsistencySummary,
		at:       time.Now(),
		severity: severityOf(!held.unresolved),
		text:     fmt.Sprintf("%s: %d more inconsistencies within a second are not logged one by one", t.target.Cache, held.count),
		attrs:    attributes{tracing.AttrCache.String(t.target.Cache), tracing.AttrSuppressed.Int64(held.count)},
	})
}
