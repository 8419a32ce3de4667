package writepolicy

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/tier"
)

// SequentialOption is an option of [Sequential].
type SequentialOption interface {
	applySequential(sequential) sequential
}

// Order is the order in which [Sequential] writes the tiers.
type Order uint8

// The orders.
const (
	L1First Order = iota // the default
	L2First
)

func (o Order) applySequential(s sequential) sequential {
	s.order = o
	return s
}

// InvalidateL1 makes Sequential drop the copy in L1 when the write fails although L1 may have
// applied it. Readers in the process then get the value of L2, and not one that L2 never got.
// [L2First] always does so.
func InvalidateL1() SequentialOption { return invalidateL1{} }

type invalidateL1 struct{}

func (invalidateL1) applySequential(s sequential) sequential {
	s.invalidate = true
	return s
}

// Sequential writes one tier after the other. It is the classic write-through,
// and it is the default.
//
// In the order [L1First], it writes L1, then L2, and returns nil when both
// applied the write. When L1 did not, it stops, and L2 is skipped. When L2 did
// not, L1 keeps the new value, unless [InvalidateL1] is given.
//
// In the order [L2First], it writes L2, then L1, and returns nil when L2 applied the
// write. When L2 certainly did not, L1 is unchanged; when L2 may have, the copy in L1
// is dropped. When L1 does not apply the write, its copy is dropped; a Delete after
// which the copy in L1 may still be there is an error.
//
// It is safe for concurrent use.
func Sequential(opts ...SequentialOption) Policy {
	var s sequential
	for _, o := range opts {
		if o != nil {
			s = o.applySequential(s)
		}
	}
	if s.order == L2First {
		return l2First{}
	}
	return l1First{invalidate: s.invalidate}
}

// sequential is the policy and its options.
type sequential struct {
	order      Order
	invalidate bool
}

type l1First struct {
	builtin.InOrder
	invalidate bool
}

func (p l1First) Name() string {
	if p.invalidate {
		return "sequential_invalidate_l1"
	}
	return "sequential"
}

func (p l1First) OnL1() builtin.Effect {
	if p.invalidate {
		return builtin.Depends
	}
	return builtin.Stores
}

func (p l1First) Write(ctx context.Context, op Op, l1, l2 Tier) error {
	err := l1.Write(ctx)
	if err == nil {
		if err = l2.Write(ctx); err == nil {
			return nil
		}
		if op.Kind == tier.Delete {
			return err // L1 has no copy to drop
		}
	} else if tier.OutcomeOf(err) != tier.Unknown {
		return err // L1 has no copy of this write
	}
	if p.invalidate {
		return errors.Join(err, l1.Compensate(ctx))
	}
	return err
}

type l2First struct{ builtin.Mark }

func (l2First) Name() string { return "sequential_l2_first" }

func (l2First) Write(ctx context.Context, op Op, l1, l2 Tier) error {
	if err := l2.Write(ctx); err != nil {
		return dropIfUnknown(ctx, err, l1)
	}
	err := l1.Write(ctx)
	if err == nil {
		return nil
	}
	dropErr := l1.Compensate(ctx)
	if op.Kind == tier.Delete && dropErr != nil {
		return errors.Join(err, dropErr)
	}
	return nil
}

// dropIfUnknown is for a write of L2 that returned err. If it may have been
// applied, the copy in L1 may be stale now.
func dropIfUnknown(ctx context.Context, err error, l1 Tier) error {
	if tier.OutcomeOf(err) != tier.Unknown {
		return err
	}
	return errors.Join(err, l1.Compensate(ctx))
}
