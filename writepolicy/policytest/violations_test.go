package policytest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/writepolicy"
)

const (
	mustReturn      = "Write must return once the tiers have answered"
	mustNotPanic    = "Write must not panic"
	setNeedsOne     = "a Set must not succeed before a tier has applied the write"
	deleteNeedsBoth = "a Delete must not succeed when a tier may have a copy left"
	errorsKept      = "an error must contain the errors of the tiers"
	errorNeedsCause = "there must be no error when all calls were applied"
	noLateCalls     = "no tier may be called after the answer"
	onlyGoGoesOn    = "only writes begun with Go may go on after the answer"
	ownContext      = "tiers must be given ctx or a context derived from it"
	doneIsQuiet     = "a function given to Go must not call a tier"
	doneReturns     = "a function given to Go must not block"
	doneNoPanic     = "a function given to Go must not panic"
	noGoroutines    = "no goroutine may be left behind"
)

// bad is a policy with a flaw, and the demands that it should be found not to
// meet, the nearest to the cause first.
type bad struct {
	write writepolicy.PolicyFunc
	want  []string
}

func TestViolations_OfBadPolicies(t *testing.T) {
	t.Parallel()
	policies := wrongAnswers()
	maps.Copy(policies, wrongCalls())
	maps.Copy(policies, wrongTwice())
	for name, tc := range policies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := make(map[string]bool)
			first := ""
			for _, v := range violations(t, named{tc.write}) {
				demand, report, ok := strings.Cut(v.Error(), ": ")
				assert.True(t, ok && report != "", "%q says nothing of what happened", v)
				found[demand] = true
				if first == "" {
					first = demand
				}
			}
			assert.Equal(t, tc.want[0], first, "the first failure is the nearest to the cause")
			assert.ElementsMatch(t, tc.want, slices.Collect(maps.Keys(found)))
		})
	}
}

// named is a policy with a name, and valid options.
type named struct{ writepolicy.Policy }

func (named) Name() string    { return "named" }
func (named) Validate() error { return nil }
