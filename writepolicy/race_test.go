package writepolicy_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

func TestRace_FirstSuccessAnswersWhileTheOtherHangs(t *testing.T) {
	t.Parallel()
	for _, winner := range []tier.ID{tier.L1, tier.L2} {
		for _, loser := range outcomes {
			t.Run(winner.String()+" wins, the other "+loser.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l1, l2 := newTiers(tier.Applied, loser)
					last := l2
					if winner == tier.L2 {
						l1, l2 = newTiers(loser, tier.Applied)
						last = l1
					}
					hold(last)
					w := start(t, writepolicy.Race(), tier.Set, l1, l2)
					require.NoError(t, w.answer(t))
					close(last.hold)
					synctest.Wait()
					assert.Equal(t, loser == tier.Applied, last.holds, "the loser goes on")
				})
			})
		}
	}
}

func TestRace_FirstFails_AnswersWithTheOther(t *testing.T) {
	t.Parallel()
	for _, outcome := range outcomes {
		synctest.Test(t, func(t *testing.T) {
			l1, l2 := newTiers(tier.Failed, outcome)
			w := start(t, writepolicy.Race(), tier.Set, l1, hold(l2))
			w.waits(t)
			close(l2.hold)
			err := w.answer(t)
			if outcome == tier.Applied {
				assert.NoError(t, err)
				return
			}
			assert.Equal(t, "l1.write l2.write", l1.journal.in(err), "both errors")
		})
	}
}

func TestRace_DeleteWaitsForBoth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := newTiers(tier.Applied, tier.Failed)
		w := start(t, writepolicy.Race(), tier.Delete, l1, hold(l2))
		w.waits(t)
		close(l2.hold)
		assert.Equal(t, "l2.write", l1.journal.in(w.answer(t)))
	})
}

// detach makes a write of which L2's part goes on, and returns that tier.
func detach(t *testing.T, p writepolicy.Policy) *fakeTier {
	t.Helper()
	l1, l2 := newTiers(tier.Applied, tier.Applied)
	require.NoError(t, start(t, p, tier.Set, l1, hold(l2)).answer(t))
	return l2
}

// waiting makes a write that waits for L2, and returns both.
func waiting(t *testing.T, p writepolicy.Policy) (pending, *fakeTier) {
	t.Helper()
	l1, l2 := newTiers(tier.Applied, tier.Applied)
	w := start(t, p, tier.Set, l1, hold(l2))
	w.waits(t)
	return w, l2
}

func TestRace_MaxDetached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := writepolicy.Race(writepolicy.MaxDetached(2))
		one, two := detach(t, p), detach(t, p)

		w, l2 := waiting(t, p) // at the limit
		close(one.hold)        // does not help the one that waits already
		w.waits(t)
		three := detach(t, p) // but the next one

		full, l2OfFull := waiting(t, p)
		close(l2.hold)
		require.NoError(t, w.answer(t))
		close(l2OfFull.hold)
		require.NoError(t, full.answer(t))

		// When all losers have ended, the limit is as it was.
		close(two.hold)
		close(three.hold)
		synctest.Wait()
		four, five := detach(t, p), detach(t, p)
		w, l2 = waiting(t, p)
		for _, loser := range []*fakeTier{four, five, l2} {
			close(loser.hold)
		}
		require.NoError(t, w.answer(t))
	})
}

// TestRace_CounterReturnsToZero makes writes of all outcomes, which must all
// give their place back.
func TestRace_CounterReturnsToZero(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]writepolicy.RaceOption{
		"":            {writepolicy.MaxDetached(1)},
		"CancelLoser": {writepolicy.MaxDetached(1), writepolicy.CancelLoser()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := writepolicy.Race(opts...)
				for _, kind := range either {
					for _, first := range outcomes {
						for _, second := range outcomes {
							l1, l2 := newTiers(first, second)
							_ = start(t, p, kind, l1, hold(l2)) // its answer is not the matter
							close(l2.hold)
							synctest.Wait()
						}
					}
				}
				last := detach(t, p) // there is a place
				close(last.hold)
			})
		})
	}
}

func TestRace_AtTheLimit_OneOfTwoIsEnough(t *testing.T) {
	t.Parallel()
	for _, outcome := range not {
		l1, l2 := newTiers(outcome, tier.Applied)
		require.NoError(t, writepolicy.Race(writepolicy.MaxDetached(0)).Write(t.Context(), op(tier.Set), l1, l2))
	}
}

func TestRace_DefaultMaxDetached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := writepolicy.Race(nil) // a nil option is ignored
		var losers []*fakeTier
		for range writepolicy.DefaultMaxDetached {
			losers = append(losers, detach(t, p))
		}
		w, l2 := waiting(t, p)
		for _, loser := range append(losers, l2) {
			close(loser.hold)
		}
		require.NoError(t, w.answer(t))
	})
}

func TestRace_CancelLoser(t *testing.T) {
	t.Parallel()
	p := writepolicy.Race(writepolicy.CancelLoser())

	t.Run("a loser that had begun is unknown", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l1, l2 := newTiers(tier.Applied, tier.Applied)
			hold(l1)
			hold(l2)
			w := start(t, p, tier.Set, l1, l2)
			close(l2.hold)
			require.NoError(t, w.answer(t))
			assert.Equal(t, tier.Unknown, l1.journal.outcome("l1.write"))
			require.ErrorIs(t, l1.journal.errs["l1.write"], context.Canceled)
		})
	})
	t.Run("one that had not is skipped", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l1, l2 := newTiers(tier.Applied, tier.Applied)
			l1.prompt = true
			require.NoError(t, start(t, p, tier.Set, l1, l2).answer(t))
			assert.Equal(t, tier.Skipped, l1.journal.outcome("l2.write"))
			assert.False(t, l2.holds)
		})
	})
	t.Run("a failure calls nothing off", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l1, l2 := newTiers(tier.Failed, tier.Applied)
			w := start(t, p, tier.Set, l1, hold(l2))
			w.waits(t)
			close(l2.hold)
			require.NoError(t, w.answer(t))
			assert.Equal(t, tier.Applied, l1.journal.outcome("l2.write"))
		})
	})
}

// Without the option, the answer does not end the context of the loser.
func TestRace_LoserKeepsItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		last := detach(t, writepolicy.Race())
		close(last.hold)
		synctest.Wait()
		assert.Equal(t, tier.Applied, last.journal.outcome("l2.write"))
	})
}

func TestRace_Validate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		p    writepolicy.Policy
		want string
	}{
		{writepolicy.Race(), ""},
		{writepolicy.Race(writepolicy.MaxDetached(0)), ""},
		{writepolicy.Race(writepolicy.MaxDetached(-1)), "writepolicy: MaxDetached(-1) is negative: use 0 to wait for both tiers"},
		{writepolicy.Race(writepolicy.MaxDetached(-1), nil, writepolicy.MaxDetached(7)), ""},
	} {
		v, ok := tc.p.(writepolicy.Validator)
		require.True(t, ok)
		if tc.want == "" {
			assert.NoError(t, v.Validate())
		} else {
			assert.EqualError(t, v.Validate(), tc.want)
		}
	}
}
