package readpolicy_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/readpolicy/readpolicytest"
)

// builtin are the policies of the package, with each of their options.
func builtin() map[string]readpolicy.Policy {
	return map[string]readpolicy.Policy{
		"Sequential":        readpolicy.Sequential(),
		"Race":              readpolicy.Race(),
		"Race(CancelLoser)": readpolicy.Race(readpolicy.CancelLoser()),
		"Parallel":          readpolicy.Parallel(),
		"WithName":          readpolicy.WithName("other", readpolicy.Sequential()),
		"PolicyFunc":        readpolicy.PolicyFunc(readpolicy.Parallel().Read),
	}
}

func TestBuiltin_Conform(t *testing.T) {
	t.Parallel()
	for name, p := range builtin() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readpolicytest.Run(t, p)
		})
	}
}

// TestBuiltin_EveryAnswer runs every policy with every pair of answers. In all of
// them, a tier without a value leaves the answer to the other one.
func TestBuiltin_EveryAnswer(t *testing.T) {
	t.Parallel()
	for name, p := range builtin() {
		for _, l1 := range every {
			for _, l2 := range every {
				t.Run(name+", l1 "+l1.String()+", l2 "+l2.String(), func(t *testing.T) {
					t.Parallel()
					tier1, tier2 := newTiers(l1, l2)
					choice, err := p.Read(t.Context(), tier1, tier2)
					switch {
					case l1 == hit && l2 == hit && racing(name):
						assert.NotEqual(t, readpolicy.None, choice)
					case l1 == hit:
						assert.Equal(t, readpolicy.L1, choice)
					case l2 == hit:
						assert.Equal(t, readpolicy.L2, choice)
					default:
						assert.Equal(t, readpolicy.None, choice)
						assert.Equal(t, errors.Join(tier1.err, tier2.err), err)
						return
					}
					require.NoError(t, err)
				})
			}
		}
	}
}

// Of two hits, either may win a race.
func racing(policy string) bool { return policy == "Race" || policy == "Race(CancelLoser)" }
