package readpolicytest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/readpolicy"
)

const (
	mustReturn     = "Read must return once the tiers have answered"
	mustNotPanic   = "Read must not panic"
	chosenHasValue = "only a tier that has answered with a hit may be chosen"
	noneHasValue   = "None must not be chosen when a tier has a value"
	choiceIsClean  = "the error must be nil when a tier is chosen"
	errorsKept     = "the error of None must contain the errors of the tiers"
	errorHasCause  = "the error of None must be nil when no tier has failed"
	noLateCalls    = "no tier may be called after the answer"
	onlyGoGoesOn   = "only reads begun with Go may go on after the answer"
	ownContext     = "tiers must be given ctx or a context derived from it"
	doneIsQuiet    = "a function given to Go must not call a tier"
	doneReturns    = "a function given to Go must not block"
	doneNoPanic    = "a function given to Go must not panic"
	noGoroutines   = "no goroutine may be left behind"
)

// bad is a policy with a flaw, and the demands that it should be found not to
// meet, the nearest to the cause first.
type bad struct {
	read readpolicy.PolicyFunc
	want []string
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
			for _, v := range violations(t, named{tc.read}) {
				demand, story, ok := strings.Cut(v.Error(), ": ")
				assert.True(t, ok && story != "", "%q says nothing of what happened", v)
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

// named is a policy with a name.
type named struct{ readpolicy.Policy }

func (named) Name() string { return "named" }
