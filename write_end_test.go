package tiercache_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A policy that goes on after it has returned is refused, also if the write was
// complete by then.
func TestPolicyGoesOn(t *testing.T) {
	t.Parallel()
	var goOn func() []error
	policy := writepolicy.WithName("custom", writepolicy.PolicyFunc(func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
		goOn = func() []error { return []error{l1.Write(ctx), l1.Drop(ctx), l2.Write(ctx), l2.Compensate(ctx)} }
		return writepolicy.Sequential().Write(ctx, op, l1, l2)
	}))
	f := newFixture(t, tiercache.WithWritePolicy(policy))
	require.NoError(t, f.Set(t.Context(), "k", "v", 0))
	for _, err := range goOn() {
		require.ErrorContains(t, err, "the policy has returned already")
	}
	assert.Equal(t, 1, writeCalls(f.L1))
	assert.Equal(t, 1, writeCalls(f.L2))
	assertHolds(t, f, "v", "v")
}

// Detached calls and loads are counted as long as they are under way.
func TestCountsOfWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.Race()))...)
		counted := func() (lines []string) {
			for _, line := range c.metrics(t) {
				if strings.HasPrefix(line, tracing.MetricWriteDetached) || strings.HasPrefix(line, tracing.MetricLoadActive) {
					lines = append(lines, line)
				}
			}
			return lines
		}
		detached := tracing.MetricWriteDetached + " {write} value=1 tiercache.cache.name=users"
		active := tracing.MetricLoadActive + " {load} value=1 tiercache.cache.name=users"
		assert.Empty(t, counted())
		f.L2.Next(tier.Set, backendtest.Delay(time.Second))
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		assert.Equal(t, []string{detached}, counted())
		_, err := f.GetOrLoad(t.Context(), "other", 0, func(context.Context, string) (string, error) {
			assert.Equal(t, []string{active, detached}, counted())
			return "", nil
		})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		assert.Empty(t, counted())
		require.NoError(t, f.Close(t.Context()))
	})
}

// exiting ends the goroutine that ends the span of L2.
type exiting struct{ sdktrace.SpanProcessor }

func (exiting) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (exiting) OnEnd(span sdktrace.ReadOnlySpan) {
	if span.Name() == "set users l2" {
		runtime.Goexit()
	}
}

func (exiting) Shutdown(context.Context) error { return nil }

// The goroutine of a Set is ended when both tiers have the value, but before the policy
// returns. The span has an error, because the caller gets no result.
func TestSetEndsWithItsGoroutine(t *testing.T) {
	t.Parallel()
	c := tiercachetest.NewRecorder(sdktrace.WithSpanProcessor(exiting{}))
	f := newFixture(t, c.Options()...)
	got := apart(t, func() error { return f.Set(t.Context(), "k", "v", 0) })
	assert.True(t, got.exited)
	assertHolds(t, f, "v", "v")
	for _, span := range c.Spans() {
		want := map[string]codes.Code{"set users": codes.Error}[span.Name()]
		assert.Equal(t, want, span.Status().Code, span.Name())
	}
	require.NoError(t, f.Close(t.Context()), "nothing is under way")
}
