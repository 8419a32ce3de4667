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

func TestNameOf(t *testing.T) {
	t.Parallel()
	own := writepolicy.PolicyFunc(func(context.Context, writepolicy.Op, writepolicy.Tier, writepolicy.Tier) error { return nil })
	for want, policies := range map[string][]writepolicy.Policy{
		"sequential":               {writepolicy.Sequential()},
		"sequential_invalidate_l1": {writepolicy.Sequential(writepolicy.InvalidateL1())},
		"sequential_l2_first":      {writepolicy.Sequential(writepolicy.L2First)},
		"parallel":                 {writepolicy.Parallel()},
		"optimistic_parallel":      {writepolicy.OptimisticParallel()},
		"race":                     {writepolicy.Race(), writepolicy.Race(writepolicy.CancelLoser())},
		"write_around":             {writepolicy.WriteAround()},
		"custom":                   {own},
		"mirrored":                 {writepolicy.WithName("mirrored", own), writepolicy.WithName("mirrored", writepolicy.Race())},
	} {
		for _, p := range policies {
			assert.Equal(t, want, writepolicy.NameOf(p))
		}
	}
}

func TestPolicyFunc(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(tier.Applied, tier.Applied)
	want := errors.New("refused")
	p := writepolicy.WithName("mine", writepolicy.PolicyFunc(
		func(ctx context.Context, got writepolicy.Op, first, second writepolicy.Tier) error {
			assert.Equal(t, t.Context(), ctx)
			assert.Equal(t, op(tier.Delete), got)
			assert.Same(t, l1, first)
			assert.Same(t, l2, second)
			return want
		}))
	require.ErrorIs(t, p.Write(t.Context(), op(tier.Delete), l1, l2), want)
}

func TestWithName_Validates(t *testing.T) {
	t.Parallel()
	validate := func(p writepolicy.Policy) error {
		v, ok := p.(writepolicy.Validator)
		require.True(t, ok)
		return v.Validate()
	}
	require.NoError(t, validate(writepolicy.WithName("mine", writepolicy.Sequential())))
	require.NoError(t, validate(writepolicy.WithName("mine", writepolicy.Race())))
	invalid := writepolicy.Race(writepolicy.MaxDetached(-1))
	assert.Equal(t, validate(invalid), validate(writepolicy.WithName("mine", writepolicy.WithName("other", invalid))))
	require.Error(t, validate(writepolicy.WithName("mine", invalid)))
}
