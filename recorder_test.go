package tiercache_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// recorder also records the logs of slog.
type recorder struct {
	*tiercachetest.Recorder
	slog *bytes.Buffer
}

func newRecorder() *recorder {
	return &recorder{tiercachetest.NewRecorder(), new(bytes.Buffer)}
}

func (r *recorder) options(more ...tracing.Option) []tiercache.Option {
	return r.Options(append([]tracing.Option{tracing.WithSlog(slog.New(slog.NewTextHandler(r.slog, nil)))}, more...)...)
}

// caller starts a span as a request handler would.
func (r *recorder) caller(ctx context.Context) (context.Context, trace.Span) {
	return r.TracerProvider().Tracer("caller").Start(ctx, "caller") //nolint:spancheck // the test ends it
}

func (r *recorder) metrics(t *testing.T) []string {
	t.Helper()
	lines, err := r.Metrics(t.Context())
	require.NoError(t, err)
	return lines
}

// dump is everything that was recorded, for searches.
func (r *recorder) dump(t *testing.T) string {
	t.Helper()
	text, err := r.Dump(t.Context())
	require.NoError(t, err)
	return text + r.slog.String()
}
