package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A detached call ends while the return of its write is being recorded. The span of
// the write, which has not ended, gets the outcome.
func TestDetachedCallEndsDuringTheReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := tiercachetest.NewRecorder()
		slow := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()),
			sdkmetric.WithExemplarFilter(func(ctx context.Context) bool {
				if span, ok := trace.SpanFromContext(ctx).(sdktrace.ReadOnlySpan); ok && span.Name() == "set users" {
					time.Sleep(2 * time.Second)
				}
				return false
			}))
		f := newFixture(t, append(c.Options(tracing.WithMeterProvider(slow)), tiercache.WithWritePolicy(writepolicy.Race()))...)
		f.L2.Next(tier.Set, backendtest.Delay(time.Second))
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, `set users (internal) tiercache.l1.outcome=applied tiercache.l2.outcome=applied
  set users l1 (internal)
  set users l2 (client)
`, c.Tree(tiercachetest.Only(tracing.AttrL1Outcome, tracing.AttrL2Outcome)))
	})
}
