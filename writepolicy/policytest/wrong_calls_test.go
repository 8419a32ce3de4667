package policytest_test

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// wrongCalls are policies that call the tiers as they should not, or do not come
// to an end.
func wrongCalls() map[string]bad {
	return map[string]bad{
		"a call after the answer": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				err := errors.Join(l1.Write(ctx), l2.Write(ctx))
				time.AfterFunc(time.Second, func() { _ = l1.Compensate(ctx) })
				return err
			},
			want: []string{noLateCalls},
		},
		"a write begun after the answer": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				err := errors.Join(l1.Write(ctx), l2.Write(ctx))
				time.AfterFunc(time.Second, func() { l1.Go(ctx, func(error) {}) })
				return err
			},
			want: []string{noLateCalls},
		},
		"a goroutine of its own goes on": {
			write: func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 2)
				go func() { errs <- l1.Write(ctx) }()
				go func() { errs <- l2.Write(ctx) }()
				time.Sleep(time.Millisecond) // until both have begun
				err := <-errs
				if err == nil && op.Kind == tier.Set {
					return nil
				}
				err2 := <-errs
				if err2 == nil && op.Kind == tier.Set {
					return nil
				}
				return errors.Join(err, err2)
			},
			want: []string{onlyGoGoesOn},
		},
		"waits for an answer that does not come": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 2)
				l1.Go(ctx, func(err error) { errs <- err })
				return errors.Join(<-errs, <-errs, l2.Write(ctx))
			},
			want: []string{mustReturn},
		},
		"retries for ever": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				for l1.Write(ctx) != nil || l2.Write(ctx) != nil {
					time.Sleep(10 * time.Second)
				}
				return nil
			},
			want: []string{mustReturn},
		},
		"done blocks": {
			write: func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error)
				l1.Go(ctx, func(err error) { errs <- err })
				l2.Go(ctx, func(err error) { errs <- err })
				err := <-errs
				if err == nil && op.Kind == tier.Set {
					return nil // and nobody receives the other error
				}
				err2 := <-errs
				if err2 == nil && op.Kind == tier.Set {
					return nil
				}
				return errors.Join(err, err2)
			},
			want: []string{doneReturns},
		},
		"done panics": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 1)
				l1.Go(ctx, func(err error) {
					errs <- err
					panic("flaw")
				})
				return errors.Join(<-errs, l2.Write(ctx))
			},
			want: []string{doneNoPanic},
		},
		"done calls a tier": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				errs := make(chan error, 1)
				l1.Go(ctx, func(err error) { errs <- errors.Join(err, l2.Write(ctx)) })
				return <-errs
			},
			want: []string{doneIsQuiet},
		},
		"another context": {
			write: func(_ context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				return errors.Join(l1.Write(context.Background()), l2.Write(context.Background())) //nolint:usetesting,contextcheck // it is the flaw
			},
			want: []string{ownContext},
		},
		"no context": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				return errors.Join(l1.Write(ctx), l2.Write(nil)) //nolint:staticcheck,contextcheck // it is the flaw
			},
			want: []string{ownContext},
		},
		"panics": {
			write: func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				err := errors.Join(l1.Write(ctx), l2.Write(ctx))
				if err != nil && op.Kind == tier.Delete {
					panic(err)
				}
				return err
			},
			want: []string{mustNotPanic},
		},
		"ends its goroutine": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				defer runtime.Goexit()
				return errors.Join(l1.Write(ctx), l2.Write(ctx))
			},
			want: []string{mustNotPanic},
		},
		"leaves a goroutine": {
			write: func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				go func() { <-make(chan struct{}) }()
				return errors.Join(l1.Write(ctx), l2.Write(ctx))
			},
			want: []string{noGoroutines},
		},
	}
}
