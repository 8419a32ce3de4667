package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// TestTierSpans has all spans of a cache, for each budget of spans. Calls that succeed
// have a duration in its place, and calls that fail a span.
func TestTierSpans(t *testing.T) {
	t.Parallel()
	refused := backendtest.FailBefore(errors.New("refused"))
	late := backendtest.Chain(backendtest.Delay(2*time.Second), refused)
	set := func(t *testing.T, c *tiercache.Cache[string]) { _ = c.Set(t.Context(), "k", "v", 0) }
	for _, test := range []struct {
		name         string
		policy       writepolicy.Policy
		fault1       backendtest.Fault
		fault2       backendtest.Fault
		instrumented bool
		run          func(t *testing.T, c *tiercache.Cache[string])
		all          []string
		l2, failures []string
	}{
		{
			name: "both tiers are written", run: set,
			all:      []string{"set users l1", "set users l2", "set users"},
			l2:       []string{"set users l2", "set users l1=1s"},
			failures: []string{"set users l1=1s l2=1s"},
		},
		{
			name: "the client of L2 is instrumented", run: set, instrumented: true,
			all:      []string{"set users l1", "set users l2", "set users"},
			l2:       []string{"set users l1=1s l2=1s"},
			failures: []string{"set users l1=1s l2=1s"},
		},
		{
			name: "L1 fails", run: set, fault1: refused,
			all:      []string{"set users l1 !", "set users !"},
			l2:       []string{"set users l1 !", "set users !"},
			failures: []string{"set users l1 !", "set users !"},
		},
		{
			name: "L2 fails", run: set, fault2: refused, instrumented: true,
			all:      []string{"set users l1", "set users l2 !", "set users ! event"},
			l2:       []string{"set users l2 !", "set users l1=1s ! event"},
			failures: []string{"set users l2 !", "set users l1=1s ! event"},
		},
		{
			name: "L2 fails after the return", run: set, policy: writepolicy.Race(), fault2: late,
			all:      []string{"set users l1", "set users", "set users l2 ! event"},
			l2:       []string{"set users l1=1s", "set users l2 ! event"},
			failures: []string{"set users l1=1s", "set users l2 ! event"},
		},
		{
			name: "L1 fails, and L2 succeeds after the return", run: set, policy: writepolicy.PolicyFunc(second),
			fault1: refused,
			// The event needs a span, and the operation's has ended.
			all:      []string{"set users l1 !", "set users !", "set users l2 event"},
			l2:       []string{"set users l1 !", "set users !", "set users l2 event"},
			failures: []string{"set users l1 !", "set users !", "set users l2 event"},
		},
		{
			name: "a read", run: func(t *testing.T, c *tiercache.Cache[string]) {
				_, _, err := c.Get(t.Context(), "in l2")
				require.NoError(t, err)
			},
			all:      []string{"get users l2", "refill users l1", "get users"},
			l2:       []string{"get users l2", "get users l1=1s"},
			failures: []string{"get users l1=1s l2=1s"},
		},
	} {
		for budget, want := range map[tracing.TierSpans][]string{
			tracing.TierSpansAll: test.all, tracing.TierSpansL2: test.l2, tracing.TierSpansFailures: test.failures,
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					map2 := backendtest.NewMap[string]()
					require.NoError(t, map2.Set(t.Context(), "in l2", backends.Entry[string]{Value: "v"}))
					l1 := slow(backendtest.NewMap[string](), test.fault1).Described(backends.Description{InProcess: true})
					l2 := slow(map2, test.fault2).Described(backends.Description{System: "fake", Instrumented: test.instrumented})
					spans := tracetest.NewSpanRecorder()
					c, err := tiercache.New("users", l1, l2, tiercache.WithWritePolicy(test.policy),
						tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTierSpans(budget),
							tracing.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))))
					require.NoError(t, err)
					test.run(t, c)
					require.NoError(t, c.Close(t.Context()))
					assert.Equal(t, want, brief(spans.Ended()))
				})
			})
		}
	}
}

// slow returns a tier each call of which takes a second, and to whose first Set the
// fault happens.
func slow(b backends.Backend[string], fault backendtest.Fault) *backendtest.Faults[string] {
	f := backendtest.WithFaults(b)
	f.Always(tier.Set, backendtest.Delay(time.Second))
	f.Always(tier.Get, backendtest.Delay(time.Second))
	if fault != nil {
		f.Next(tier.Set, fault)
	}
	return f
}

// second returns the error of L1 while the write of L2 goes on.
func second(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	l2.Go(ctx, func(error) {})
	return l1.Write(ctx)
}

// brief prints spans in the order in which they ended: the name, durations of calls
// without spans, ! for an error, and events.
func brief(spans []sdktrace.ReadOnlySpan) (lines []string) {
	for _, s := range spans {
		line := s.Name()
		for _, a := range s.Attributes() {
			switch a.Key {
			case tracing.AttrL1Duration:
				line += fmt.Sprintf(" l1=%vs", a.Value.AsFloat64())
			case tracing.AttrL2Duration:
				line += fmt.Sprintf(" l2=%vs", a.Value.AsFloat64())
			}
		}
		if s.Status().Code == codes.Error {
			line += " !"
		}
		if len(s.Events()) > 0 {
			line += " event"
		}
		lines = append(lines, line)
	}
	return lines
}
