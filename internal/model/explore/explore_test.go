package explore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/model/explore"
)

// jugs hold up to 3 and 5 liters: can one of them hold exactly 4?
type jugs struct{ small, big int }

func (j jugs) String() string { return fmt.Sprintf("%d of 3, %d of 5", j.small, j.big) }

func pour(forbidden int) explore.Model[jugs] {
	return explore.Model[jugs]{
		Next: func(j jugs, step func(name string, to jugs)) {
			step("fill small", jugs{3, j.big})
			step("fill big", jugs{j.small, 5})
			step("empty small", jugs{0, j.big})
			step("empty big", jugs{j.small, 0})
			toBig := min(j.small, 5-j.big)
			step("small to big", jugs{j.small - toBig, j.big + toBig})
			toSmall := min(j.big, 3-j.small)
			step("big to small", jugs{j.small + toSmall, j.big - toSmall})
		},
		Invariant: func(j jugs) string {
			if j.big == forbidden {
				return fmt.Sprintf("the big jug holds %d", j.big)
			}
			return ""
		},
		Most: 1000,
	}
}

func TestRun_FindsShortestCounterexample(t *testing.T) {
	t.Parallel()
	r := explore.Run(pour(4))
	require.NotNil(t, r.Counterexample)
	assert.False(t, r.Complete)
	assert.Equal(t, ` 1. fill big      0 of 3, 5 of 5
 2. big to small  3 of 3, 2 of 5
 3. empty small   0 of 3, 2 of 5
 4. big to small  2 of 3, 0 of 5
 5. fill big      2 of 3, 5 of 5
 6. big to small  3 of 3, 4 of 5
    violated: the big jug holds 4
`, r.Counterexample.String())
}

func TestRun_VisitsEveryState(t *testing.T) {
	t.Parallel()
	r := explore.Run(pour(6))
	assert.Nil(t, r.Counterexample)
	assert.Equal(t, "no counterexample", r.Counterexample.String())
	assert.True(t, r.Complete)
	assert.Equal(t, 16, r.States) // those with an empty or a full jug
	assert.Equal(t, 6*16, r.Steps)
	assert.Len(t, r.Used, 6)
}

func TestRun_SameReportEachTime(t *testing.T) {
	t.Parallel()
	first, second := explore.Run(pour(4)), explore.Run(pour(4))
	assert.Equal(t, first, second)
}

func TestRun_EndsIncompleteAtMostStates(t *testing.T) {
	t.Parallel()
	m := pour(6)
	m.Most = 10
	r := explore.Run(m)
	assert.Equal(t, 10, r.States)
	assert.False(t, r.Complete)
	assert.Nil(t, r.Counterexample)
}

func TestRun_ChecksTheStart(t *testing.T) {
	t.Parallel()
	r := explore.Run(pour(0))
	require.NotNil(t, r.Counterexample)
	assert.Empty(t, r.Counterexample.Path)
	assert.Equal(t, "    violated: the big jug holds 0\n", r.Counterexample.String())
}

// A step without effect is not a use of it.
func TestRun_CountsUses(t *testing.T) {
	t.Parallel()
	r := explore.Run(explore.Model[int]{
		Next: func(s int, step func(name string, to int)) {
			step("stay", s)
			step("up", min(s+1, 3))
		},
		Invariant: func(int) string { return "" },
		Most:      10,
	})
	assert.Equal(t, map[string]int{"up": 3}, r.Used)
}
