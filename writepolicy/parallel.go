package writepolicy

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/tier"
)

// Parallel writes both tiers at once and waits for both. It returns nil when
// both applied the write, and it drops nothing when one of them did not. It is
// safe for concurrent use.
func Parallel() Policy { return parallel{} }

type parallel struct{ builtin.Mark }

func (parallel) Name() string { return "parallel" }

func (parallel) OnL1() builtin.Effect { return builtin.Stores }

func (parallel) Write(ctx context.Context, _ Op, l1, l2 Tier) error {
	return errors.Join(both(ctx, l1, l2))
}

// OptimisticParallel writes both tiers at once and waits for both. For a Set it returns
// nil when at least one of them applied the write: the other one is then reported as an
// inconsistency, and not as an error. For a Delete both must apply it, because readers
// would get the remaining copy. It is safe for concurrent use.
func OptimisticParallel() Policy { return optimistic{} }

type optimistic struct{ builtin.Mark }

func (optimistic) Name() string { return "optimistic_parallel" }

func (optimistic) OnL1() builtin.Effect { return builtin.Stores }

func (optimistic) Write(ctx context.Context, op Op, l1, l2 Tier) error {
	err1, err2 := both(ctx, l1, l2)
	if op.Kind == tier.Set && (err1 == nil || err2 == nil) {
		return nil
	}
	return errors.Join(err1, err2)
}

// both writes L2, the slower one, in a goroutine, and L1 in the caller's.
func both(ctx context.Context, l1, l2 Tier) (err1, err2 error) {
	done := make(chan error, 1)
	l2.Go(ctx, func(err error) { done <- err })
	err1 = l1.Write(ctx)
	return err1, <-done
}
