package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/term"
)

// newLogger returns a logger whose records carry the ids of their trace: as text
// on a terminal, as JSON elsewhere.
func newLogger(w io.Writer) *slog.Logger {
	var h slog.Handler = slog.NewJSONHandler(w, nil)
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		h = slog.NewTextHandler(w, nil)
	}
	return slog.New(traceHandler{h})
}

// traceHandler adds the ids of the span in the context to every record, and whether its
// trace is sampled: where it is not, nobody needs to look for it.
type traceHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h traceHandler) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(
			slog.String("trace_id", sc.TraceID().String()),
			slog.String("span_id", sc.SpanID().String()),
			slog.String("trace_flags", sc.TraceFlags().String())) // 01: the trace is sampled
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h traceHandler) WithGroup(name string) slog.Handler {
	return traceHandler{h.Handler.WithGroup(name)}
}

// logLibraries gives the logger to the libraries that have one for the whole
// process; by default these write plain text to standard error. It is for main
// alone.
func logLibraries(log *slog.Logger) {
	redis.SetLogger(redisLogger{log})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("telemetry was lost", "error", err)
	}))
}

// redisLogger is where go-redis says, for instance, that it cannot connect: once
// for every attempt. That is for debugging, because its callers get the error too.
type redisLogger struct{ log *slog.Logger }

// Printf implements the interface of redis.SetLogger.
func (l redisLogger) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}
