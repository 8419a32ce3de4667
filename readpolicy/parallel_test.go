package readpolicy_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
)

func TestParallel_LongerLifeWins(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Minute)
	for name, tc := range map[string]struct {
		l1, l2 time.Time
		want   readpolicy.Choice
	}{
		"l1 lives longer":               {soon.Add(1), soon, readpolicy.L1},
		"l2 lives longer":               {soon, soon.Add(1), readpolicy.L2},
		"a tie":                         {soon, soon, readpolicy.L1},
		"a tie in another zone":         {soon, soon.UTC().Round(0), readpolicy.L1},
		"l1 lives for ever":             {time.Time{}, soon, readpolicy.L1},
		"l2 lives for ever":             {soon, time.Time{}, readpolicy.L2},
		"both live for ever":            {time.Time{}, time.Time{}, readpolicy.L1},
		"for ever, in the other's past": {soon.Add(-time.Hour), time.Time{}, readpolicy.L2},
	} {
		for _, late := range []string{"none", "l1", "l2"} {
			t.Run(name+", late: "+late, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l1, l2 := newTiers(hit, hit)
					l1.answer.ExpiresAt, l2.answer.ExpiresAt = tc.l1, tc.l2
					switch late {
					case "l1":
						held(l1)
					case "l2":
						held(l2)
					}
					r := start(t, readpolicy.Parallel(), l1, l2)
					for _, tier := range []*fakeTier{l1, l2} {
						if tier.hold != nil {
							r.waits(t)
							close(tier.hold)
						}
					}
					choice, err := r.answer(t)
					require.NoError(t, err)
					assert.Equal(t, tc.want, choice)
				})
			})
		}
	}
}

// The life of a tier that has nothing, or fails, does not count.
func TestParallel_OneHit_ItsLifeDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, end := range []time.Time{{}, time.Now().Add(time.Minute)} {
		for _, has := range nothing {
			l1, l2 := newTiers(hit, has)
			l1.answer.ExpiresAt = end
			choice, err := readpolicy.Parallel().Read(t.Context(), l1, l2)
			require.NoError(t, err)
			assert.Equal(t, readpolicy.L1, choice)

			l1, l2 = newTiers(has, hit)
			l2.answer.ExpiresAt = end
			choice, err = readpolicy.Parallel().Read(t.Context(), l1, l2)
			require.NoError(t, err)
			assert.Equal(t, readpolicy.L2, choice)
		}
	}
}

func TestParallel_AsksBothAtOnceAndWaits(t *testing.T) {
	t.Parallel()
	for _, l1Last := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l1, l2 := newTiers(hit, miss)
			r := start(t, readpolicy.Parallel(), held(l1), held(l2))
			assert.EqualValues(t, 1, l1.reads.Load())
			assert.EqualValues(t, 1, l2.reads.Load())
			first, last := l1, l2
			if l1Last {
				first, last = l2, l1
			}
			close(first.hold)
			r.waits(t)
			close(last.hold)
			choice, err := r.answer(t)
			require.NoError(t, err)
			assert.Equal(t, readpolicy.L1, choice)
		})
	}
}
