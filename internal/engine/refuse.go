package engine

import (
	"context"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

// refuse ends a write that has touched no tier.
func (w *write[V]) refuse(ctx context.Context, cause error) error {
	err := &tier.WriteError{
		Kind: w.op.Kind, Policy: w.policyName(), Verdict: tier.Verdict{Consistent: true},
		Cause: cause,
	}
	defer w.free()
	defer w.obs.End()
	w.obs.Returned(ctx, tier.Skipped, tier.Skipped, true, err)
	return err
}

// stageOrRefuse stages, and ends the write if that fails.
func (w *write[V]) stageOrRefuse(ctx context.Context) (err error) {
	cause := guard.ErrExited
	defer func() {
		if cause != nil {
			err = w.refuse(ctx, cause)
		}
	}()
	cause = w.stage(ctx)
	return nil
}
