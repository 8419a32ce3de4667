package engine_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A policy leaves a call of L2 behind, whose context it ends. When the call has ended, without
// an answer, L1 drops its copy all the same.
func TestRepair_DropsThoughCancelled(t *testing.T) {
	t.Parallel()
	var giveUp context.CancelFunc
	leaves := writepolicy.PolicyFunc(func(ctx context.Context, _ writepolicy.Op, _, l2 writepolicy.Tier) error {
		ctx, giveUp = context.WithCancel(ctx)
		l2.Go(ctx, func(error) {})
		return nil
	})
	repaired(t, func(t *testing.T, _ *store, here, _ *instance, _ *resolutions) {
		here.l1.Always(tier.Delete, func(ctx context.Context, apply func(context.Context) error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return apply(ctx)
		})
		here.l2.Next(tier.Set, func(ctx context.Context, _ func(context.Context) error) error {
			<-ctx.Done()
			return ctx.Err()
		})
		require.Contains(t, here.stamps.Snapshot(), "k")
		require.ErrorIs(t, here.Set(t.Context(), "k", "new", 0), tiercache.ErrInconsistent)
		synctest.Wait()
		giveUp()
		synctest.Wait()
		assert.NotContains(t, here.stamps.Snapshot(), "k")
		assert.NotZero(t, here.Status().Repair.Opened)
	}, tiercache.WithWritePolicy(leaves))
}
