package policytest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// flatten keeps the texts of the errors only.
func flatten(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	if err := errors.Join(l1.Write(ctx), l2.Write(ctx)); err != nil {
		return fmt.Errorf("write: %v", err) //nolint:errorlint // it is the flaw
	}
	return nil
}

// wrongAnswers are policies that return a wrong result.
func wrongAnswers() map[string]bad {
	return map[string]bad{
		"nil when all failed": {
			write: func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				err := errors.Join(l1.Write(ctx), l2.Write(ctx))
				if op.Kind == tier.Set {
					return nil
				}
				return err
			},
			want: []string{setNeedsOne},
		},
		"nil before anything is known": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				l1.Go(ctx, func(error) {})
				l2.Go(ctx, func(error) {})
				return nil
			},
			want: []string{setNeedsOne, deleteNeedsBoth},
		},
		"nil and no call": {
			write: func(context.Context, writepolicy.Op, writepolicy.Tier, writepolicy.Tier) error { return nil },
			want:  []string{setNeedsOne, deleteNeedsBoth},
		},
		"a drop taken for a Set": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				return errors.Join(l1.Drop(ctx), l2.Drop(ctx))
			},
			want: []string{setNeedsOne},
		},
		"one deletion is enough": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				err1, err2 := l1.Write(ctx), l2.Write(ctx)
				if err1 == nil || err2 == nil {
					return nil
				}
				return errors.Join(err1, err2)
			},
			want: []string{deleteNeedsBoth},
		},
		"deletes in one tier only": {
			write: func(ctx context.Context, _ writepolicy.Op, _, l2 writepolicy.Tier) error { return l2.Write(ctx) },
			want:  []string{deleteNeedsBoth},
		},
		"the first of two errors": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 2)
				l1.Go(ctx, func(err error) { errs <- err })
				l2.Go(ctx, func(err error) { errs <- err })
				first, second := <-errs, <-errs
				if first != nil {
					return first
				}
				return second
			},
			want: []string{errorsKept},
		},
		"a Delete by the first success": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 2)
				l1.Go(ctx, func(err error) { errs <- err })
				l2.Go(ctx, func(err error) { errs <- err })
				first := <-errs
				if first == nil {
					return nil
				}
				if second := <-errs; second != nil {
					return errors.Join(first, second)
				}
				return nil
			},
			want: []string{deleteNeedsBoth},
		},
		"only the text of errors": {write: flatten, want: []string{errorsKept}},
		"only the second error": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				err1, err2 := l1.Write(ctx), l2.Write(ctx)
				if err2 != nil {
					return err2
				}
				return err1
			},
			want: []string{errorsKept},
		},
		"the error of a drop is lost": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				if err := l1.Write(ctx); err != nil {
					return err
				}
				err := l2.Write(ctx)
				if err != nil {
					_ = l1.Compensate(ctx)
				}
				return err
			},
			want: []string{errorsKept},
		},
		"an error out of nothing": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), errors.New("never content"))
			},
			want: []string{errorNeedsCause},
		},
	}
}
