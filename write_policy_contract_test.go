package tiercache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A policy may return anything; the cache reports the outcomes that it saw.
func TestPolicyCannotHideOutcomes(t *testing.T) {
	t.Parallel()
	type target = writepolicy.Tier
	cause := errors.New("quota exceeded")
	for _, test := range []struct {
		name   string
		policy func(ctx context.Context, l1, l2 target) error
		remove bool
		fault2 backendtest.Fault
		l1, l2 tier.Outcome
		want   string // in the error; none if empty
		events int
	}{
		{
			name:   "does nothing and calls it a success",
			policy: func(context.Context, target, target) error { return nil },
			want:   "neither tier was changed",
		},
		{
			name:   "does not mention that L2 failed",
			policy: func(ctx context.Context, l1, l2 target) error { _, _ = l1.Write(ctx), l2.Write(ctx); return nil },
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
		},
		{
			name:   "leaves a copy behind and calls it deleted",
			policy: func(ctx context.Context, l1, l2 target) error { _, _ = l1.Write(ctx), l2.Write(ctx); return nil },
			remove: true,
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "l2 may still have the entry",
		},
		{
			name: "answers before a delete is done",
			policy: func(ctx context.Context, l1, l2 target) error {
				l2.Go(ctx, func(error) {})
				return l1.Write(ctx)
			},
			remove: true,
			fault2: backendtest.Chain(backendtest.Delay(time.Second), backendtest.FailBefore(errRefused)),
			l1:     tier.Applied, l2: tier.Failed, events: 1,
			want: "l2 delete failed",
		},
		{
			name:   "panics in the middle",
			policy: func(ctx context.Context, l1, _ target) error { _ = l1.Write(ctx); panic("!") },
			l1:     tier.Applied, events: 1,
			want: "the policy panicked: panic (string)",
		},
		{
			name: "has an error of its own",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), cause)
			},
			l1: tier.Applied, l2: tier.Applied,
			want: "quota exceeded; l1 applied; l2 applied; both tiers were written",
		},
		{
			name: "tries again",
			policy: func(ctx context.Context, l1, l2 target) error {
				if err := l2.Write(ctx); err != nil {
					if err := l2.Write(ctx); err != nil {
						return err
					}
				}
				return l1.Write(ctx)
			},
			fault2: backendtest.Lose(errRefused), l1: tier.Applied, l2: tier.Applied,
		},
		{
			name: "tries again and is refused",
			policy: func(ctx context.Context, _, l2 target) error {
				ended, cancel := context.WithCancel(ctx)
				cancel()
				return errors.Join(l2.Write(ctx), l2.Write(ended))
			},
			fault2: backendtest.Lose(errRefused), l2: tier.Unknown, events: 1,
			want: "l1 may be stale",
		},
		{
			name: "drops before it writes",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Compensate(ctx), l1.Write(ctx), l2.Write(ctx))
			},
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "the tiers may differ: l2 may be stale",
		},
		{
			name: "drops the only copy and calls it a success",
			policy: func(ctx context.Context, l1, l2 target) error {
				_, _, _ = l1.Write(ctx), l2.Write(ctx), l1.Compensate(ctx)
				return nil
			},
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "the copy in l1 was dropped",
		},
		{
			name: "drops what L2 has",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), l2.Compensate(ctx))
			},
			l1: tier.Applied, l2: tier.Applied, events: 1,
		},
		{
			name: "writes L1 and drops L2",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Drop(ctx))
			},
			l1: tier.Applied, l2: tier.Applied, events: 1,
		},
		{
			name:   "drops both",
			policy: func(ctx context.Context, l1, l2 target) error { return errors.Join(l1.Drop(ctx), l2.Drop(ctx)) },
			l1:     tier.Applied, l2: tier.Applied,
			want: "both tiers were written",
		},
		{
			name:   "quotes the key",
			policy: func(context.Context, target, target) error { return errors.New("no quota for " + secretKey) },
			want:   "no quota for [key]; l1 skipped",
		},
		{
			name: "writes again what it has dropped",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), l1.Compensate(ctx), l1.Write(ctx))
			},
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "the tiers may differ: l2 may be stale",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newRecorder()
				f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.PolicyFunc(
					func(ctx context.Context, _ writepolicy.Op, l1, l2 target) error { return test.policy(ctx, l1, l2) })))...)
				var err error
				if test.remove {
					f.L2.Next(tier.Delete, test.fault2)
					err = f.Delete(t.Context(), secretKey)
				} else {
					f.L2.Next(tier.Set, test.fault2)
					err = f.Set(t.Context(), secretKey, "v", 0)
				}
				require.NoError(t, f.Close(t.Context()))
				assert.NotContains(t, c.dump(t), secretKey)
				require.Len(t, c.Inconsistencies(), test.events)
				if test.events > 0 {
					assert.Equal(t, [2]tier.Outcome{test.l1, test.l2},
						[2]tier.Outcome{c.Inconsistencies()[0].L1.Outcome, c.Inconsistencies()[0].L2.Outcome})
				}
				if test.want == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, test.want)
				e := asError(t, err)
				assert.Equal(t, [2]tier.Outcome{test.l1, test.l2}, [2]tier.Outcome{e.L1.Outcome, e.L2.Outcome})
			})
		})
	}
}

// A policy that calls a tier after its answer is refused, also when another call
// still goes on, and the outcome does not change any more.
func TestPolicyIsRefusedAfterItReturned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		answered, late := make(chan struct{}), make(chan error, 1)
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.PolicyFunc(
			func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				go func() {
					<-answered
					late <- l2.Write(ctx)
				}()
				return l1.Write(ctx)
			})))...)
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		close(answered)
		err := <-late
		require.ErrorContains(t, err, "l2 set skipped: the policy has returned already")
		assert.Equal(t, tier.Skipped, tier.OutcomeOf(err))
		assertHolds(t, f, "v", "")
		require.Len(t, c.Inconsistencies(), 1)
		require.NoError(t, f.Close(t.Context()))
	})
}
