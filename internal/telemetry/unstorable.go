package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/tiercache/tiercache/tracing"
)

// Unstorable counts a loaded value that a tier can never store. The first one of a cache
// is logged too: a fault of the program repeats itself at every load.
func (t *Telemetry) Unstorable(ctx context.Context, key string, cause error) {
	if t.meters != nil {
		t.meters.counts.add(unstorable)
	}
	if t.logger == nil && t.slog == nil || t.told.Swap(true) {
		return
	}
	attrs := attributes{tracing.AttrCache.String(t.target.Cache), errorType(cause)}
	if t.key != nil {
		if shown := formatKey(t.key, key); shown != "" {
			attrs = append(attrs, tracing.AttrKey.String(shown))
		}
	}
	text := t.target.Cache + ": a tier cannot store a loaded value; further ones are only counted"
	if t.slog != nil && slogEnabled(ctx, t.slog, slog.LevelWarn) {
		defer logAttrs(ctx, t.slog, slog.LevelWarn, text, fieldsOf(tracing.EventUnstorableValue, cause, attrs))
	}
	const severity = log.SeverityWarn
	if t.logger == nil || !logEnabled(ctx, t.logger, log.EnabledParameters{Severity: severity, EventName: tracing.EventUnstorableValue}) {
		return
	}
	var r log.Record
	r.SetEventName(tracing.EventUnstorableValue)
	r.SetTimestamp(time.Now())
	r.SetSeverity(severity)
	r.SetSeverityText(severity.String())
	r.SetBody(attribute.StringValue(text))
	r.SetErr(cause) // its text does not quote the key
	r.AddAttributes(attrs...)
	emit(ctx, t.logger, r)
}
