package writepolicy_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

func TestOptimisticParallel_OneOfTwoIsEnough(t *testing.T) {
	t.Parallel()
	for _, other := range not {
		l1, l2 := newTiers(tier.Applied, other)
		require.NoError(t, writepolicy.OptimisticParallel().Write(t.Context(), op(tier.Set), l1, l2))
		l1, l2 = newTiers(other, tier.Applied)
		require.NoError(t, writepolicy.OptimisticParallel().Write(t.Context(), op(tier.Set), l1, l2))
	}
}

func TestOptimisticParallel_BothFail_ErrorCarriesBoth(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Failed, tier.Unknown)
	err := writepolicy.OptimisticParallel().Write(t.Context(), op(tier.Set), l1, l2)
	assert.Equal(t, "l1.write l2.write", l1.journal.in(err))
}

func TestOptimisticParallel_ADeletionOfOneIsNotEnough(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Applied, tier.Failed)
	err := writepolicy.OptimisticParallel().Write(t.Context(), op(tier.Delete), l1, l2)
	assert.Equal(t, "l2.write", l1.journal.in(err))
}

func TestParallel_BothMustApply(t *testing.T) {
	t.Parallel()
	for _, other := range not {
		l1, l2 := newTiers(tier.Applied, other)
		err := writepolicy.Parallel().Write(t.Context(), op(tier.Set), l1, l2)
		assert.Equal(t, "l2.write", l1.journal.in(err))
		assert.True(t, l1.holds, "nothing is dropped")
	}
}

// TestParallel_WritesBothAtOnceAndWaits holds both writes and lets them go in
// either order.
func TestParallel_WritesBothAtOnceAndWaits(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]writepolicy.Policy{
		"Parallel":             writepolicy.Parallel(),
		"OptimisticParallel":   writepolicy.OptimisticParallel(),
		"Race(MaxDetached(0))": writepolicy.Race(writepolicy.MaxDetached(0)),
	} {
		for _, kind := range either {
			for _, l1Last := range []bool{false, true} {
				t.Run(name+", "+kind.String(), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						l1, l2 := newTiers(tier.Applied, tier.Applied)
						w := start(t, p, kind, hold(l1), hold(l2))
						assert.ElementsMatch(t, []string{"l1.write", "l2.write"}, l1.journal.calls, "both are held at once")
						first, last := l1, l2
						if l1Last {
							first, last = l2, l1
						}
						close(first.hold)
						w.waits(t)
						close(last.hold)
						require.NoError(t, w.answer(t))
					})
				})
			}
		}
	}
}

// hold makes the writes of f wait until f.hold is closed.
func hold(f *fakeTier) *fakeTier {
	f.hold = make(chan struct{})
	return f
}

// pending is a write of a policy in a goroutine of its own. It is used in a
// bubble.
type pending struct {
	answers chan error
}

// start begins a write and returns when it can go no further.
func start(t *testing.T, p writepolicy.Policy, kind tier.Kind, l1, l2 writepolicy.Tier) pending {
	t.Helper()
	w := pending{answers: make(chan error, 1)}
	go func() { w.answers <- p.Write(t.Context(), op(kind), l1, l2) }()
	synctest.Wait()
	return w
}

// waits requires that the policy does not answer yet.
func (w pending) waits(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-w.answers:
		require.Fail(t, "the policy has answered", "%v", err)
	default:
	}
}

// answer requires that the policy answers now.
func (w pending) answer(t *testing.T) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-w.answers:
		return err
	default:
		require.Fail(t, "the policy does not answer")
		return nil
	}
}
