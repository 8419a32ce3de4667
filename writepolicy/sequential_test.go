package writepolicy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

func TestSequential_BothSucceed(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Applied, tier.Applied)
	require.NoError(t, writepolicy.Sequential().Write(t.Context(), op(tier.Set), l1, l2))
	assert.Equal(t, "l1.write l2.write", l1.journal.made())
	assert.True(t, l1.holds)
	assert.True(t, l2.holds)
}

func TestSequential_L1Fails_L2NotCalled(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Failed, tier.Applied)
	err := writepolicy.Sequential().Write(t.Context(), op(tier.Set), l1, l2)
	require.Error(t, err)
	assert.Equal(t, "l1.write", l1.journal.made())
	assert.Equal(t, "l1.write", l1.journal.in(err))
	assert.False(t, l1.holds)
	assert.False(t, l2.holds)
}

func TestSequential_L2FailsAfterL1_ErrorAndL1HasTheValue(t *testing.T) {
	t.Parallel()
	for _, outcome := range not {
		l1, l2 := newTiers(tier.Applied, outcome)
		err := writepolicy.Sequential().Write(t.Context(), op(tier.Set), l1, l2)
		var tierErr *tier.Error
		require.ErrorAs(t, err, &tierErr)
		assert.Equal(t, tier.L2, tierErr.Tier)
		assert.Equal(t, outcome, tierErr.Result)
		assert.Equal(t, "l1.write l2.write", l1.journal.made())
		assert.True(t, l1.holds)
		assert.False(t, l2.holds)
	}
}

func TestSequential_BothFail_StopsAtL1(t *testing.T) {
	t.Parallel()
	for _, outcome := range not {
		l1, l2 := newTiers(outcome, tier.Failed)
		err := writepolicy.Sequential().Write(t.Context(), op(tier.Set), l1, l2)
		var tierErr *tier.Error
		require.ErrorAs(t, err, &tierErr)
		assert.Equal(t, tier.L1, tierErr.Tier)
		assert.Equal(t, "l1.write", l1.journal.made())
	}
}

func TestSequential_InvalidateL1_L1LosesTheValueThatL2DidNotGet(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Applied, tier.Unknown)
	p := writepolicy.Sequential(writepolicy.InvalidateL1())
	require.Error(t, p.Write(t.Context(), op(tier.Set), l1, l2))
	assert.Equal(t, "l1.write l2.write l1.drop", l1.journal.made())
	assert.False(t, l1.holds)
}

func TestSequential_L2First_L1IsDroppedWhenItDoesNotGetTheValue(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Failed, tier.Applied)
	l1.holds = true // an older one
	p := writepolicy.Sequential(writepolicy.L2First)
	require.NoError(t, p.Write(t.Context(), op(tier.Set), l1, l2))
	assert.False(t, l1.holds)
	assert.True(t, l2.holds)
}

func TestWriteAround_L1IsNeverWritten(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Applied, tier.Applied)
	l1.holds = true // an older one
	require.NoError(t, writepolicy.WriteAround().Write(t.Context(), op(tier.Set), l1, l2))
	assert.Equal(t, "l2.write l1.drop", l1.journal.made())
	assert.False(t, l1.holds)
	assert.True(t, l2.holds)
}

// A skipped write of L2, which may have changed nothing, drops nothing.
func TestL2First_SkippedL2_L1IsLeft(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]writepolicy.Policy{
		"Sequential(L2First)": writepolicy.Sequential(writepolicy.L2First),
		"WriteAround":         writepolicy.WriteAround(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l1, l2 := newTiers(tier.Applied, tier.Skipped)
			err := p.Write(t.Context(), op(tier.Set), l1, l2)
			assert.Equal(t, "l2.write", l1.journal.made())
			assert.Equal(t, "l2.write", l1.journal.in(err))
		})
	}
}

// plainTier is a tier whose writes fail with an error that has no outcome.
type plainTier struct {
	writepolicy.Tier
	err error
}

func (p plainTier) Write(context.Context) error { return p.err }

func TestL2First_ErrorWithoutOutcome_IsTakenForUnknown(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Applied, tier.Applied)
	plain := errors.New("plain")
	err := writepolicy.Sequential(writepolicy.L2First).Write(t.Context(), op(tier.Set), l1, plainTier{l2, plain})
	require.ErrorIs(t, err, plain)
	assert.Equal(t, "l1.drop", l1.journal.made())
}

func TestSequential_NilOptionsAreIgnored(t *testing.T) {
	t.Parallel()
	assert.Equal(t, writepolicy.Sequential(), writepolicy.Sequential(nil, nil))
	assert.Equal(t, writepolicy.Sequential(writepolicy.L2First), writepolicy.Sequential(nil, writepolicy.L2First, nil))
	assert.NotEqual(t, writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First))
	assert.NotEqual(t, writepolicy.Sequential(), writepolicy.Sequential(writepolicy.InvalidateL1()))
}

func TestSequential_LastOrderCounts(t *testing.T) {
	t.Parallel()
	assert.Equal(t, writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First, writepolicy.L1First))
}
