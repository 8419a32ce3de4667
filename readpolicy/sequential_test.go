package readpolicy_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
)

func TestSequential_HitInL1_L2NotAsked(t *testing.T) {
	t.Parallel()
	l1, l2 := newTiers(hit, hit)
	choice, err := readpolicy.Sequential().Read(t.Context(), l1, l2)
	require.NoError(t, err)
	assert.Equal(t, readpolicy.L1, choice)
	assert.Zero(t, l2.reads.Load())
}

func TestSequential_AsksL2AfterL1(t *testing.T) {
	t.Parallel()
	for _, has := range nothing {
		synctest.Test(t, func(t *testing.T) {
			l1, l2 := newTiers(has, hit)
			r := start(t, readpolicy.Sequential(), held(l1), l2)
			r.waits(t)
			assert.Zero(t, l2.reads.Load(), "L1 has not answered yet")
			close(l1.hold)
			choice, err := r.answer(t)
			require.NoError(t, err)
			assert.Equal(t, readpolicy.L2, choice)
			assert.EqualValues(t, 1, l1.reads.Load())
			assert.EqualValues(t, 1, l2.reads.Load())
		})
	}
}
