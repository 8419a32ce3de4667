package policytest_test

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// wrongTwice are policies with one mistake that has consequences, which break other
// demands.
func wrongTwice() map[string]bad {
	return map[string]bad{
		"done panics before it tells": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 1)
				l1.Go(ctx, func(err error) {
					if err != nil {
						panic("flaw")
					}
					errs <- err
				})
				return errors.Join(<-errs, l2.Write(ctx))
			},
			want: []string{doneNoPanic, mustReturn},
		},
		"done blocks and Write waits for it": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				told, errs := make(chan error), make(chan error)
				l1.Go(ctx, func(err error) { told <- err })
				return errors.Join(<-errs, l2.Write(ctx))
			},
			want: []string{doneReturns, mustReturn},
		},
		"done calls a tier after the answer": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				l1.Go(ctx, func(error) {
					time.Sleep(time.Second) // until Write has answered
					_ = l2.Write(ctx)
				})
				return nil
			},
			want: []string{doneIsQuiet, noLateCalls, setNeedsOne, deleteNeedsBoth},
		},
		"both writes come after the answer": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				time.AfterFunc(time.Second, func() { _ = l1.Write(ctx) })
				time.AfterFunc(time.Second, func() { _ = l2.Write(ctx) })
				return nil
			},
			want: []string{noLateCalls, setNeedsOne, deleteNeedsBoth},
		},
		"a context of its own that has ended": {
			write: func(_ context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // it is the flaw
				cancel()
				_, _ = l1.Write(ctx), l2.Write(ctx) //nolint:contextcheck // it is the flaw
				return nil
			},
			want: []string{ownContext, setNeedsOne, deleteNeedsBoth},
		},
		"an error without a cause, and a deletion that is none": {
			write: func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				_, _ = l1.Write(ctx), l2.Write(ctx)
				if op.Kind == tier.Set {
					return errors.New("flaw")
				}
				return nil
			},
			want: []string{errorNeedsCause, errorsKept, deleteNeedsBoth},
		},
	}
}
