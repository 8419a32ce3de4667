package policytest

import (
	"errors"
	"slices"

	"github.com/tiercache/tiercache/internal/conformance"
	"github.com/tiercache/tiercache/tier"
)

// The demands on a policy, in the words of a violation.
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
	validOptions    = "Validate must accept the policy"
)

// rules are checked on one write when everything has ended. One mistake may break
// several of them; the first is the nearest to the cause. So a rule stands before those
// that the same mistake breaks too: the calls of the tiers, then the end of Write, then
// its result.
var rules = []struct {
	demand string
	broken func(o *operation) bool
}{
	{ownContext, func(o *operation) bool { return o.any(func(c *call) bool { return c.stray }) }},
	{doneNoPanic, func(o *operation) bool { return o.any(func(c *call) bool { return c.panicked }) }},
	{doneIsQuiet, func(o *operation) bool { return o.any(func(c *call) bool { return c.nested }) }},
	{doneReturns, func(o *operation) bool { return o.any(func(c *call) bool { return c.ended && c.reporting }) }},
	{mustNotPanic, func(o *operation) bool { return o.panicked != nil }},
	{mustReturn, func(o *operation) bool { return o.stuck }},
	{noLateCalls, func(o *operation) bool { return o.any(func(c *call) bool { return c.late }) }},
	{onlyGoGoesOn, func(o *operation) bool {
		return o.returned() && o.any(func(c *call) bool { return !c.timely && !c.late && !c.detached })
	}},
	{setNeedsOne, func(o *operation) bool {
		return o.Kind == tier.Set && o.succeeded() && !slices.ContainsFunc(o.calls, func(c *call) bool {
			return c.timely && !c.isDrop() && c.outcome() == tier.Applied
		})
	}},
	{deleteNeedsBoth, func(o *operation) bool {
		return o.Kind == tier.Delete && o.succeeded() && (!o.gone(tier.L1) || !o.gone(tier.L2))
	}},
	{errorNeedsCause, func(o *operation) bool {
		return o.failed() && len(o.calls) > 0 && !slices.ContainsFunc(o.calls, func(c *call) bool {
			return !c.timely || c.outcome() != tier.Applied
		})
	}},
	{errorsKept, func(o *operation) bool {
		return o.failed() && (o.lost(tier.L1, false) || o.lost(tier.L1, true) ||
			o.lost(tier.L2, false) || o.lost(tier.L2, true))
	}},
}

// nearestFirst orders violations as the rules.
func nearestFirst(violations []error) []error {
	var demands []string
	for _, r := range rules {
		demands = append(demands, r.demand)
	}
	return conformance.NearestFirst(violations, demands)
}

// violations returns the rules that the write has broken.
func (o *operation) violations() (found []error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range rules {
		if r.broken(o) {
			found = append(found, conformance.ViolationError{Demand: r.demand, Report: o.report()})
		}
	}
	return found
}

func (o *operation) any(is func(c *call) bool) bool { return slices.ContainsFunc(o.calls, is) }

func (o *operation) returned() bool  { return o.answered && o.panicked == nil && !o.stuck }
func (o *operation) succeeded() bool { return o.returned() && o.err == nil }
func (o *operation) failed() bool    { return o.returned() && o.err != nil }

// gone reports whether the tier of a Delete has no copy left in the end.
func (o *operation) gone(id tier.ID) bool {
	return o.any(func(c *call) bool {
		return c.tier == id && c.ended && c.outcome() == tier.Applied
	})
}

// lost reports whether the calls of a tier, its writes or its drops, failed
// before the answer, all of them, and the answer contains none of their errors.
func (o *operation) lost(id tier.ID, drops bool) bool {
	lost := false
	for _, c := range o.calls {
		if c.tier != id || c.isDrop() != drops || !o.knew(c) || c.outcome() == tier.Skipped {
			continue
		}
		if c.err == nil || errors.Is(o.err, c.err) {
			return false
		}
		lost = true
	}
	return lost
}

// knew reports whether the policy had the outcome of c when it answered. Of a
// write that was begun with Go and ended at the moment of the answer, that is
// certain only if the policy could not answer while it was held.
func (o *operation) knew(c *call) bool {
	return c.timely && (!c.detached || c.held || c.at.Before(o.at))
}
