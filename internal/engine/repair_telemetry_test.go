package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// The trace of a repair shows each call of a tier that it has made.
func TestRepair_Spans(t *testing.T) {
	t.Parallel()
	missing := func(t *testing.T, here, _ *instance) {
		here.down()
		require.Error(t, here.Set(t.Context(), "k", "new", time.Hour))
	}
	for name, test := range map[string]struct {
		telemetry []tracing.Option
		write     func(t *testing.T, here, there *instance)
		back      func(here *instance) // when L2 is back
		want      string
	}{
		"L2 gets the value of L1": {
			write: missing,
			want: `repair users (internal) ledger.cause=missing repair.resolution=applied
  linked to a span that is missing
  get users l1 (internal) lookup.result=hit tier.name=l1
  get users l2 (client) lookup.result=hit tier.name=l2
  set users l2 (client) outcome=applied tier.name=l2
  set users l1 (internal) outcome=applied tier.name=l1
`,
		},
		"somebody was newer": {
			write: func(t *testing.T, here, there *instance) {
				missing(t, here, there)
				there.set(t, "newer")
			},
			want: `repair users (internal) ledger.cause=missing repair.resolution=superseded
  linked to a span that is missing
  get users l1 (internal) lookup.result=miss tier.name=l1
  get users l2 (client) lookup.result=hit tier.name=l2
  invalidate users l1 (internal) outcome=applied tier.name=l1
`,
		},
		"somebody is newer when L2 decides": {
			write: missing,
			back: func(here *instance) {
				here.l2.Next(tier.Get, func(ctx context.Context, apply func(context.Context) error) error {
					err := apply(ctx)
					return errors.Join(err, here.moves.Set(ctx, "k", backends.Entry[string]{Value: "newer"}))
				})
			},
			want: `repair users (internal) ledger.cause=missing repair.resolution=superseded
  linked to a span that is missing
  get users l1 (internal) lookup.result=hit tier.name=l1
  get users l2 (client) lookup.result=hit tier.name=l2
  set users l2 (client) outcome=superseded tier.name=l2
  invalidate users l1 (internal) outcome=applied tier.name=l1
`,
		},
		"a delete is made again": {
			write: func(t *testing.T, here, _ *instance) {
				here.down()
				require.Error(t, here.Delete(t.Context(), "k"))
			},
			want: `repair users (internal) ledger.cause=kept repair.resolution=applied
  linked to a span that is missing
  get users l1 (internal) lookup.result=miss tier.name=l1
  get users l2 (client) lookup.result=hit tier.name=l2
  delete users l2 (client) outcome=applied tier.name=l2
  invalidate users l1 (internal) outcome=applied tier.name=l1
`,
		},
		"calls that fail": {
			write: missing,
			back:  func(here *instance) { here.l2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded)) },
			want: `repair users (internal) Error
  linked to a span that is missing
  get users l1 (internal) lookup.result=hit tier.name=l1
  get users l2 (client) lookup.result=hit tier.name=l2
  set users l2 (client) Error outcome=unknown tier.name=l2
`,
		},
		"calls without spans": {
			telemetry: []tracing.Option{tracing.WithTierSpans(tracing.TierSpansFailures)},
			write:     missing,
			want:      "repair users (internal) ledger.cause=missing repair.resolution=applied\n  linked to a span that is missing\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tiercachetest.NewRecorder()
			synctest.Test(t, func(t *testing.T) {
				s := backendtest.NewStore[string]()
				here, there := newInstance(t, s, r.Options(test.telemetry...)...), newInstance(t, s)
				there.set(t, "old")
				sync2(t, here, there)
				test.write(t, here, there)
				synctest.Wait()
				r.Reset()
				here.up()
				if test.back != nil {
					test.back(here)
				}
				sync2(t, here)
				assert.Equal(t, test.want, tiercachetest.Tree(repairSpans(r), tiercachetest.ShortNames(), tiercachetest.WithoutDescriptions(),
					tiercachetest.Only(tracing.AttrTier, tracing.AttrOutcome, tracing.AttrLookupResult, tracing.AttrLedgerCause, tracing.AttrResolution)))
				there.close(t)
				_ = here.Close(t.Context())
			})
		})
	}
}

// repairSpans returns the spans of the first repair.
func repairSpans(r *tiercachetest.Recorder) (spans []sdktrace.ReadOnlySpan) {
	all := r.Spans()
	for _, root := range all {
		if root.Name() == "repair users" {
			return slices.DeleteFunc(all, func(s sdktrace.ReadOnlySpan) bool {
				return s.SpanContext().TraceID() != root.SpanContext().TraceID()
			})
		}
	}
	return nil
}
