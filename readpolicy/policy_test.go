package readpolicy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
)

func TestNameOf(t *testing.T) {
	t.Parallel()
	own := readpolicy.PolicyFunc(func(context.Context, readpolicy.Tier, readpolicy.Tier) (readpolicy.Choice, error) {
		return readpolicy.None, nil
	})
	for want, policies := range map[string][]readpolicy.Policy{
		"sequential": {readpolicy.Sequential()},
		"race":       {readpolicy.Race(), readpolicy.Race(readpolicy.CancelLoser())},
		"parallel":   {readpolicy.Parallel()},
		"custom":     {own},
		"hedged":     {readpolicy.WithName("hedged", own), readpolicy.WithName("hedged", readpolicy.Race())},
	} {
		for _, p := range policies {
			assert.Equal(t, want, readpolicy.NameOf(p))
		}
	}
	assert.Equal(t, "outer", readpolicy.NameOf(readpolicy.WithName("outer", readpolicy.WithName("inner", own))))
}

func TestPolicyFunc(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(hit, hit)
	want := errors.New("refused")
	p := readpolicy.WithName("mine", readpolicy.PolicyFunc(
		func(ctx context.Context, first, second readpolicy.Tier) (readpolicy.Choice, error) {
			assert.Equal(t, t.Context(), ctx)
			assert.Same(t, l1, first)
			assert.Same(t, l2, second)
			return readpolicy.L2, want
		}))
	choice, err := p.Read(t.Context(), l1, l2)
	require.ErrorIs(t, err, want)
	assert.Equal(t, readpolicy.L2, choice)
}
