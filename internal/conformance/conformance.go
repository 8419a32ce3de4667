// Package conformance has the parts of a conformance suite that do not depend on
// policies.
package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// The demands on every policy, in the words of a violation.
const (
	NoGoroutines  = "no goroutine may be left behind"
	SnakeCaseName = "Name must be in snake case"
	OneName       = "Name must always return the same name"
)

// ViolationError is a demand that a policy does not meet, and how that came out.
type ViolationError struct{ Demand, Report string }

// Error says what was asked and what happened.
func (v ViolationError) Error() string { return v.Demand + ": " + v.Report }

// Add appends those of more that are not there. Scripts may differ in what is not
// asked for, so that the same thing is found twice.
func Add(violations, more []error) []error {
	for _, v := range more {
		if !slices.Contains(violations, v) {
			violations = append(violations, v)
		}
	}
	return violations
}

// NearestFirst orders violations by their demands, of which the first is the
// nearest to the cause, and leaves those of one demand in their order. Demands
// that are not named come last.
func NearestFirst(violations []error, demands []string) []error {
	rank := func(err error) int {
		for i, demand := range demands {
			if isOneOf(err, []string{demand}) {
				return i
			}
		}
		return len(demands)
	}
	slices.SortStableFunc(violations, func(a, b error) int { return rank(a) - rank(b) })
	return violations
}

// Without returns the violations of all demands but the given one, which another
// check reports.
func Without(violations []error, demand string) []error {
	return slices.DeleteFunc(violations, func(err error) bool { return isOneOf(err, []string{demand}) })
}

// Check is one subtest. It returns what the policy does wrong; t is only for
// bubbles and for the suite's New.
type Check struct {
	Name string
	Run  func(t *testing.T) []error
}

// Run runs the checks in subtests of t.
func Run(t *testing.T, checks []Check) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.Name, func(t *testing.T) {
			for _, violation := range c.Run(t) {
				t.Error(violation)
			}
		})
	}
}

// Violations returns what Run would report.
func Violations(t *testing.T, checks []Check) (violations []error) {
	t.Helper()
	for _, c := range checks {
		violations = append(violations, c.Run(t)...)
	}
	return violations
}

// InBubble returns what f, run in a bubble, returns. Goroutines that block for
// ever would end the bubble with a panic; they become a violation, unless f has
// found out already what is stuck, by one of the demands that are given.
func InBubble(t *testing.T, f func(t *testing.T) []error, stuck ...string) (violations []error) {
	t.Helper()
	defer func() {
		v := recover()
		switch {
		case v == nil:
		case !strings.HasPrefix(fmt.Sprint(v), "deadlock:"):
			panic(v)
		case !slices.ContainsFunc(violations, func(err error) bool { return isOneOf(err, stuck) }):
			violations = append(violations, ViolationError{NoGoroutines, "it is blocked for ever"})
		}
	}()
	synctest.Test(t, func(t *testing.T) { violations = f(t) })
	return violations
}

func isOneOf(err error, demands []string) bool {
	v, ok := err.(ViolationError) //nolint:errorlint // violations are not wrapped
	return ok && slices.Contains(demands, v.Demand)
}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// Name checks the name of a policy, before and after it is used.
func Name(name func() string, use func()) (violations []error) {
	first := name()
	if !snakeCase.MatchString(first) {
		violations = append(violations, ViolationError{SnakeCaseName, fmt.Sprintf("%q", first)})
	}
	use()
	for range 2 {
		if again := name(); again != first {
			return append(violations, ViolationError{OneName, fmt.Sprintf("%q, then %q", first, again)})
		}
	}
	return violations
}
