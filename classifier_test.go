package tiercache_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// The classifier decides the outcome of an error.
func TestClassifierDecidesTheOutcome(t *testing.T) {
	t.Parallel()
	for _, certain := range []bool{false, true} {
		f := newFixture(t, tiercache.WithClassifier(func(err error) bool {
			assert.ErrorIs(t, err, errRefused)
			return certain
		}))
		f.L1.Next(tier.Set, backendtest.Lose(errRefused))
		err := f.Set(t.Context(), "k", "v", 0)
		assert.Equal(t, !certain, errors.Is(err, tiercache.ErrInconsistent))
	}
}

// A classifier that panics is not certain, and no key stays taken.
func TestClassifierPanic_IsNotCertain(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		f := newFixture(t, tiercache.WithWritePolicy(p), tiercache.WithClassifier(func(error) bool { panic("!") }))
		f.L2.Next(tier.Delete, backendtest.FailBefore(errRefused))
		assert.Equal(t, tier.Unknown, asError(t, f.Delete(t.Context(), "k")).L2.Outcome)
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		require.NoError(t, f.Close(t.Context()))
	})
}
