package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
)

// logLine is an event as it is logged: as a log record, and to slog.
type logLine struct {
	event    string
	at       time.Time
	severity log.Severity
	text     string
	cause    error // nil: none. Its text does not quote the key
	attrs    attributes
}

// logs reports whether events are logged.
func (t *Telemetry) logs() bool { return t.logger != nil || t.slog != nil }

// log logs an event in both ways, in the second even if the first ends the goroutine.
func (t *Telemetry) log(ctx context.Context, l *logLine) {
	defer t.logSlog(ctx, l)
	t.logRecord(ctx, l)
}

func (t *Telemetry) logRecord(ctx context.Context, l *logLine) {
	if t.logger == nil || !logEnabled(ctx, t.logger, log.EnabledParameters{Severity: l.severity, EventName: l.event}) {
		return
	}
	var r log.Record
	r.SetEventName(l.event)
	r.SetTimestamp(l.at)
	r.SetSeverity(l.severity)
	r.SetSeverityText(l.severity.String())
	r.SetBody(attribute.StringValue(l.text))
	r.SetErr(l.cause)
	r.AddAttributes(l.attrs...)
	emit(ctx, t.logger, r)
}

func (t *Telemetry) logSlog(ctx context.Context, l *logLine) {
	level := slog.Level(l.severity - log.SeverityInfo) // the two scales have the same steps
	if t.slog == nil || !slogEnabled(ctx, t.slog, level) {
		return
	}
	logAttrs(ctx, t.slog, level, l.text, l.fields())
}

// fields returns the fields of a line of slog.
func (l *logLine) fields() []slog.Attr {
	fields := make([]slog.Attr, 0, len(l.attrs)+2)
	fields = append(fields, slog.String("event", l.event))
	if l.cause != nil {
		fields = append(fields, slog.String("error", l.cause.Error()))
	}
	for _, a := range l.attrs {
		fields = append(fields, slog.Any(string(a.Key), a.Value.AsInterface()))
	}
	return fields
}
