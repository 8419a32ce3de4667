package policytest

import (
	"testing"

	"github.com/tiercache/tiercache/internal/conformance"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// Suite is the conformance suite. It asks of a policy that
//
//   - Write returns within a minute after the last late tier, and does not panic;
//   - a Set is a success only once a tier has applied the write, and a Delete only if
//     neither tier has a copy;
//   - an error contains, for errors.Is, the errors of the tiers: one of each
//     tier whose writes all failed before the answer, and one of each tier whose
//     copy could not be dropped. Calls that were skipped do not count;
//   - there is no error when the tiers applied all calls of the policy, unless it made
//     none;
//   - tiers are given ctx or a context derived from it;
//   - no tier is called after Write has returned, and only writes begun with Go go on
//     then;
//   - a function that was given to Go neither blocks nor panics, and calls no
//     tier;
//   - no goroutine is left running;
//   - operations on different keys can run at once, also under the race
//     detector;
//   - Validate accepts the policy, if it is a [writepolicy.Validator];
//   - Name is in snake case and always the same, if it is [writepolicy.Named].
//
// The first failure is the nearest to the cause: simple writes come before those with
// late tiers and before concurrent ones. Of the demands that one write breaks, it names
// the one that explains the others.
//
// Everything runs in testing/synctest bubbles, where waiting takes no time, so a policy
// may use timers. One that retries gets the same outcome each time and must stop at
// last. A panic in a goroutine that the policy itself started ends the test binary, as
// everywhere.
type Suite struct {
	// New returns the policy. It is called once in each bubble, so its goroutines,
	// which must end in t.Cleanup, and its channels belong to that bubble. Required.
	New func(t *testing.T) writepolicy.Policy
}

// Run runs the suite on p. It is meant for policies without goroutines and
// channels that outlive a write; others need a [Suite].
func Run(t *testing.T, p writepolicy.Policy) {
	t.Helper()
	Suite{New: func(*testing.T) writepolicy.Policy { return p }}.Run(t)
}

// Run runs the suite in subtests of t. It must not be called in a bubble.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	if s.New == nil {
		t.Fatal("policytest: Suite needs New")
	}
	conformance.Run(t, s.checks())
}

// checks are ordered so that the first that fails is the simplest that shows the
// mistake.
func (s Suite) checks() []conformance.Check {
	checks := []conformance.Check{{Name: "options", Run: s.checkOptions}}
	for _, o := range orders {
		for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
			checks = append(checks, conformance.Check{Name: kind.String() + "-" + o.name, Run: func(t *testing.T) []error {
				return s.checkOutcomes(t, kind, o)
			}})
		}
	}
	return append(checks,
		conformance.Check{Name: "concurrent-use", Run: s.checkConcurrent},
		conformance.Check{Name: "name", Run: s.checkName},
	)
}

// newPolicy calls New.
func (s Suite) newPolicy(t *testing.T) writepolicy.Policy {
	p := s.New(t)
	if p == nil {
		t.Fatal("policytest: the policy is nil")
	}
	return p
}
