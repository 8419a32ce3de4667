package guard_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

// A tier stages only if its backend does, and Set then makes the staged write.
func TestTier_Stage(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[string]()
	for name, stages := range map[string]bool{"plain": false, "stager": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b backends.Backend[string] = struct{ backends.Backend[string] }{m}
			if stages {
				b = backendtest.WithFaults(m)
			}
			g := guard.NewTier(tier.L1, b, guard.Timeouts{}, backends.CertainlyNotApplied)
			assert.Equal(t, stages, g.Stages())
			staged, err := g.Stage(t.Context(), name, backends.Entry[string]{Value: "staged"})
			require.NoError(t, err)
			assert.Equal(t, stages, staged != nil)
			require.NoError(t, g.Set(t.Context(), name, &backends.Entry[string]{Value: "set"}, staged))
			assert.Equal(t, map[bool]string{false: "set", true: "staged"}[stages], m.Snapshot()[name].Value)
		})
	}
}

func TestTier_StageFails(t *testing.T) {
	t.Parallel()
	b := backendtest.WithFaults(backendtest.NewMap[string]())
	b.Next(tier.Stage, backendtest.FailBefore(context.Canceled))
	g := guard.NewTier(tier.L2, b, guard.Timeouts{}, backends.CertainlyNotApplied)
	staged, err := g.Stage(t.Context(), "k", backends.Entry[string]{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "l2 stage failed: ")
	assert.Equal(t, tier.Failed, tier.OutcomeOf(err))
	assert.Nil(t, staged)
}

// values is a backend that returns values without their entries.
type values struct{ backends.Backend[string] }

func (values) GetValue(context.Context, string) (string, bool, error) { return "value", true, nil }

func TestTier_Value(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[string]()
	require.NoError(t, m.Set(t.Context(), "k", backends.Entry[string]{Value: "entry"}))
	for want, b := range map[string]backends.Backend[string]{"entry": struct{ backends.Backend[string] }{m}, "value": values{m}} {
		g := guard.NewTier(tier.L1, b, guard.Timeouts{}, backends.CertainlyNotApplied)
		got, ok, err := g.Value(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
}

// Of the caller's deadline and the tier's timeout, the earlier one counts. A context
// that ends early enough is passed on as it is.
func TestLimit_CallersDeadline(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		left, want time.Duration
		same       bool
	}{
		"none":    {0, timeout, false},
		"earlier": {timeout - 1, timeout - 1, true},
		"equal":   {timeout, timeout, true},
		"later":   {timeout + 1, timeout, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l2, _ := remote()
				ctx, cancel := context.WithCancel(t.Context())
				if test.left > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), test.left)
				}
				defer cancel()
				limited, free := l2.Limit(ctx)
				defer free()
				deadline, ok := limited.Deadline()
				assert.True(t, ok)
				assert.Equal(t, test.want, time.Until(deadline))
				assert.Equal(t, test.same, limited == ctx)
				l2.Release()
			})
		})
	}
}
