package readpolicytest

import (
	"testing"

	"github.com/tiercache/tiercache/internal/conformance"
	"github.com/tiercache/tiercache/readpolicy"
)

// Suite is the conformance suite. It asks of a policy that
//
//   - Read returns, within a minute after the last tier that was late has
//     answered, and does not panic;
//   - it chooses only a tier that has answered it with a hit, and then its error
//     is nil;
//   - it chooses None only if neither tier has a value: a miss or an error of
//     one tier does not hide the value of the other. What a tier would have had
//     does not count when the deadline that the policy gave it has passed, or
//     ctx has ended, and the error says so;
//   - the error of None contains, for errors.Is, the errors of the tiers, one of
//     each tier whose reads all failed; it is nil when no read has failed, unless
//     ctx has ended;
//   - tiers are given ctx or a context derived from it;
//   - no tier is called after the answer, and nothing goes on then but what was
//     begun with Go;
//   - a function that was given to Go neither blocks nor panics, and calls no
//     tier;
//   - no goroutine is left behind;
//   - reads of different keys can run at once, also under the race detector;
//   - Name is in snake case and always the same, if it is [readpolicy.Named].
//
// Which of two hits is the better one is the policy's own affair.
//
// The first failure is the nearest to the cause: simple reads come before those
// with late tiers and before concurrent ones, and of the demands that one read
// does not meet the one that explains the others.
//
// Everything runs in testing/synctest bubbles, where waiting takes no time, so a
// policy may use timers. One that asks a tier again is given the same answer
// each time and must give up at last. A panic in a goroutine that the policy
// itself started ends the test binary, as everywhere.
type Suite struct {
	// New returns the policy. It is called once in each bubble, so what it makes
	// belongs to that bubble: goroutines, which must end in t.Cleanup, and
	// channels. Required.
	New func(t *testing.T) readpolicy.Policy
}

// Run runs the suite on p. It is meant for policies without goroutines and
// channels that outlive a read; others need a [Suite].
func Run(t *testing.T, p readpolicy.Policy) {
	t.Helper()
	Suite{New: func(*testing.T) readpolicy.Policy { return p }}.Run(t)
}

// Run runs the suite in subtests of t. It must not be called in a bubble.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	if s.New == nil {
		t.Fatal("readpolicytest: Suite needs New")
	}
	conformance.Run(t, s.checks())
}

// checks are ordered so that the first that fails is the simplest that shows the
// mistake.
func (s Suite) checks() (checks []conformance.Check) {
	for _, o := range orders {
		checks = append(checks, conformance.Check{Name: o.name, Run: func(t *testing.T) []error { return s.checkAnswers(t, o) }})
	}
	return append(checks,
		conformance.Check{Name: "concurrent-use", Run: s.checkConcurrent},
		conformance.Check{Name: "name", Run: s.checkName},
	)
}

// newPolicy calls New.
func (s Suite) newPolicy(t *testing.T) readpolicy.Policy {
	p := s.New(t)
	if p == nil {
		t.Fatal("readpolicytest: the policy is nil")
	}
	return p
}
