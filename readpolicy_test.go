package tiercache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
)

// A read policy may say what it likes; only what a tier has answered is returned.
func TestDishonestReadPolicies(t *testing.T) {
	t.Parallel()
	type tier = readpolicy.Tier
	for name, test := range map[string]struct {
		policy func(ctx context.Context, l1, l2 tier) (readpolicy.Choice, error)
		want   string
		err    string
	}{
		"chooses a tier that it did not ask": {
			policy: func(context.Context, tier, tier) (readpolicy.Choice, error) { return readpolicy.L2, nil },
		},
		"chooses what is no tier": {
			policy: func(context.Context, tier, tier) (readpolicy.Choice, error) { return 7, nil },
		},
		"panics": {
			policy: func(context.Context, tier, tier) (readpolicy.Choice, error) { panic("!") },
			err:    "the read policy panicked",
		},
		"has an error of its own": {
			policy: func(context.Context, tier, tier) (readpolicy.Choice, error) {
				return readpolicy.None, errors.New("quota")
			},
			err: "tiercache: get: quota",
		},
		"asks L2 alone": {
			policy: func(ctx context.Context, _, l2 tier) (readpolicy.Choice, error) {
				_, err := l2.Read(ctx)
				return readpolicy.L2, err
			},
			want: "v",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tiercache.WithReadPolicy(readpolicy.PolicyFunc(test.policy)))
			for _, m := range []*backendtest.Map[string]{w.map1, w.map2} {
				require.NoError(t, m.Set(t.Context(), "k", backends.Entry[string]{Value: "v"}))
			}
			value, ok, err := w.Get(t.Context(), "k")
			assert.Equal(t, test.want, value)
			assert.Equal(t, test.want != "", ok)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
			} else {
				require.NoError(t, err)
			}
			require.NoError(t, w.Close(t.Context()))
		})
	}
}

// A policy may ask one tier twice at once, and take what comes first.
func TestHedgedRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tiercache.WithReadPolicy(readpolicy.PolicyFunc(
		func(ctx context.Context, _, l2 readpolicy.Tier) (readpolicy.Choice, error) {
			hits := make(chan bool, 2)
			for range 2 {
				l2.Go(ctx, func(a readpolicy.Answer, err error) { hits <- err == nil && a.Hit })
			}
			for range 2 {
				if <-hits {
					return readpolicy.L2, nil
				}
			}
			return readpolicy.None, nil
		})))
	require.NoError(t, w.map2.Set(t.Context(), "k", backends.Entry[string]{Value: "v"}))
	for range 100 {
		value, ok, err := w.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "v", value)
	}
	require.NoError(t, w.Close(t.Context()))
}

// A policy that goes on after its answer is refused.
func TestReadPolicyThatGoesOn(t *testing.T) {
	t.Parallel()
	kept := make(chan readpolicy.Tier, 1)
	w := newWorld(t, tiercache.WithReadPolicy(readpolicy.PolicyFunc(
		func(_ context.Context, _, l2 readpolicy.Tier) (readpolicy.Choice, error) {
			kept <- l2
			return readpolicy.None, nil
		})))
	_, _, err := w.Get(t.Context(), "k")
	require.NoError(t, err)
	l2, late := <-kept, make(chan error, 1)
	l2.Go(t.Context(), func(_ readpolicy.Answer, err error) { late <- err })
	require.ErrorContains(t, <-late, "the policy has answered already")
	_, err = l2.Read(t.Context())
	require.ErrorContains(t, err, "the policy has answered already")
	assert.Zero(t, w.l2.Calls(backendtest.Get))
	require.NoError(t, w.Close(t.Context()))
}

// When L2 and the loader fail, both errors come back.
func TestLoadAndTierFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.l2.Next(backendtest.Get, backendtest.Lose(lostError{}))
	_, err := w.GetOrLoad(t.Context(), "k", 0, func(context.Context) (string, error) { return "", errRefused })
	require.ErrorIs(t, err, errRefused)
	require.ErrorIs(t, err, lostError{})
}

// Close waits for the loser of a read.
func TestCloseWaitsForTheLoserOfARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tiercache.WithReadPolicy(readpolicy.Race()))
		require.NoError(t, w.Set(t.Context(), "k", "v", 0))
		w.l2.Next(backendtest.Get, backendtest.Delay(time.Second))
		begin := time.Now()
		_, ok, err := w.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, w.Close(t.Context()))
		assert.Equal(t, time.Second, time.Since(begin))
	})
}

// GetOrLoad asks the tiers as the policy says, too.
func TestLoadUnderReadPolicies(t *testing.T) {
	t.Parallel()
	for _, p := range []readpolicy.Policy{readpolicy.Sequential(), readpolicy.Race(), readpolicy.Parallel()} {
		w := newWorld(t, tiercache.WithReadPolicy(p), tiercache.WithL1HitSpans(), tiercache.WithStaleIfError(time.Hour))
		for _, want := range []string{"loaded", "loaded"} {
			got, err := w.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context) (string, error) { return want, nil })
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		require.NoError(t, w.Close(t.Context()))
	}
}
