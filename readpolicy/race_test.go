package readpolicy_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
)

// lane is one way to run a race: who comes first, with what, and what the other
// one has.
type lane struct {
	fast     readpolicy.Choice
	has, had found
}

func (l lane) String() string {
	if l.fast == readpolicy.L1 {
		return "l1 " + l.has.String() + ", then l2 " + l.had.String()
	}
	return "l2 " + l.has.String() + ", then l1 " + l.had.String()
}

// tiers returns L1 and L2, and which of them is held.
func (l lane) tiers() (l1, l2, slow *fakeTier) {
	if l.fast == readpolicy.L1 {
		l1, l2 = newTiers(l.has, l.had)
		return l1, l2, held(l2)
	}
	l1, l2 = newTiers(l.had, l.has)
	return l1, l2, held(l1)
}

// other is the tier that does not come first.
func (l lane) other() readpolicy.Choice { return readpolicy.L1 + readpolicy.L2 - l.fast }

func lanes(fast, slow []found) (all []lane) {
	for _, has := range fast {
		for _, had := range slow {
			all = append(all, lane{readpolicy.L1, has, had}, lane{readpolicy.L2, has, had})
		}
	}
	return all
}

func races() map[string]readpolicy.Policy {
	return map[string]readpolicy.Policy{
		"Race":              readpolicy.Race(),
		"Race(CancelLoser)": readpolicy.Race(readpolicy.CancelLoser()),
	}
}

func TestRace_FirstHitAnswersWhileTheOtherHangs(t *testing.T) {
	t.Parallel()
	for name, p := range races() {
		for _, l := range lanes([]found{hit}, every) {
			t.Run(name+", "+l.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l1, l2, slow := l.tiers()
					choice, err := start(t, p, l1, l2).answer(t)
					require.NoError(t, err)
					assert.Equal(t, l.fast, choice)
					assert.EqualValues(t, 1, slow.reads.Load(), "it was asked, too")
					close(slow.hold)
				})
			})
		}
	}
}

func TestRace_FirstHasNothing_WaitsForTheOther(t *testing.T) {
	t.Parallel()
	for name, p := range races() {
		for _, l := range lanes(nothing, every) {
			t.Run(name+", "+l.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l1, l2, slow := l.tiers()
					r := start(t, p, l1, l2)
					r.waits(t)
					assert.False(t, slow.over.Load(), "only a hit calls the other tier off")
					close(slow.hold)
					choice, err := r.answer(t)
					if l.had == hit {
						require.NoError(t, err)
						assert.Equal(t, l.other(), choice)
						return
					}
					assert.Equal(t, readpolicy.None, choice)
					assert.Equal(t, errors.Join(l1.err, l2.err), err, "the error of L1 is the first one")
				})
			})
		}
	}
}

func TestRace_CancelLoser(t *testing.T) {
	t.Parallel()
	for _, l := range lanes([]found{hit}, every) {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l1, l2, slow := l.tiers()
				_, err := start(t, readpolicy.Race(readpolicy.CancelLoser()), l1, l2).answer(t)
				require.NoError(t, err)
				synctest.Wait()
				assert.True(t, slow.over.Load(), "its context has ended")
			})
		})
	}
}

// Without the option, the answer does not end the context of the loser.
func TestRace_LoserGoesOn(t *testing.T) {
	t.Parallel()
	for _, l := range lanes([]found{hit}, every) {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l1, l2, slow := l.tiers()
				_, err := start(t, readpolicy.Race(), l1, l2).answer(t)
				require.NoError(t, err)
				synctest.Wait()
				assert.False(t, slow.over.Load())
				close(slow.hold)
				synctest.Wait()
				assert.False(t, slow.over.Load())
			})
		})
	}
}

// A caller who leaves ends the reads of both tiers.
func TestRace_CallerLeaves(t *testing.T) {
	t.Parallel()
	for name, p := range races() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l1, l2 := newTiers(hit, hit)
				held(l1)
				held(l2)
				gone := errors.New("the client is gone")
				ctx, leave := context.WithCancelCause(t.Context())
				answers := make(chan answer, 1)
				go func() {
					choice, err := p.Read(ctx, l1, l2)
					answers <- answer{choice, err}
				}()
				synctest.Wait()
				leave(gone)
				a := <-answers
				assert.Equal(t, readpolicy.None, a.choice)
				require.ErrorIs(t, a.err, gone)
			})
		})
	}
}

func TestRace_NilOptionsAreIgnored(t *testing.T) {
	t.Parallel()
	assert.Equal(t, readpolicy.Race(), readpolicy.Race(nil, nil))
	assert.Equal(t, readpolicy.Race(readpolicy.CancelLoser()), readpolicy.Race(nil, readpolicy.CancelLoser(), nil))
	assert.NotEqual(t, readpolicy.Race(), readpolicy.Race(readpolicy.CancelLoser()))
}
