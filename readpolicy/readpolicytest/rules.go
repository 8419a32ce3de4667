package readpolicytest

import (
	"errors"
	"slices"

	"github.com/tiercache/tiercache/internal/conformance"
	"github.com/tiercache/tiercache/readpolicy"
)

// What is asked of a policy, as its violation says it.
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
)

// rules are what one read shows. They are asked when everything has ended. One
// mistake may break several; the first of them is the nearest to the cause, so a
// rule stands before those that are broken by what it forbids: how the tiers are
// called, whether Read ends, how, and with which answer.
var rules = []struct {
	demand string
	broken func(r *read) bool
}{
	{ownContext, func(r *read) bool { return r.any(func(c *call) bool { return c.stray }) }},
	{doneNoPanic, func(r *read) bool { return r.any(func(c *call) bool { return c.panicked }) }},
	{doneIsQuiet, func(r *read) bool { return r.any(func(c *call) bool { return c.nested }) }},
	{doneReturns, func(r *read) bool { return r.any(func(c *call) bool { return c.ended && c.reporting }) }},
	{mustNotPanic, func(r *read) bool { return r.panicked != nil }},
	{mustReturn, func(r *read) bool { return r.stuck }},
	{noLateCalls, func(r *read) bool { return r.any(func(c *call) bool { return c.late }) }},
	{onlyGoGoesOn, func(r *read) bool {
		return r.returned() && r.any(func(c *call) bool { return !c.timely && !c.late && !c.detached })
	}},
	{chosenHasValue, func(r *read) bool {
		return r.returned() && r.choice != readpolicy.None && !r.any(func(c *call) bool {
			return c.tier == r.choice && c.timely && c.hit()
		})
	}},
	{noneHasValue, func(r *read) bool { return r.none() && (r.hidden(&r.l1) || r.hidden(&r.l2)) }},
	{choiceIsClean, func(r *read) bool {
		return r.returned() && r.choice != readpolicy.None && r.err != nil
	}},
	{errorHasCause, func(r *read) bool {
		return r.none() && r.err != nil && !r.left && !r.any(func(c *call) bool { return c.timely && c.err != nil })
	}},
	{errorsKept, func(r *read) bool {
		return r.none() && (r.lost(readpolicy.L1) || r.lost(readpolicy.L2))
	}},
}

// nearestFirst orders violations as the rules.
func nearestFirst(violations []error) []error {
	var demands []string
	for _, rule := range rules {
		demands = append(demands, rule.demand)
	}
	return conformance.NearestFirst(violations, demands)
}

// violations returns what the read has shown.
func (r *read) violations() (found []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rule := range rules {
		if rule.broken(r) {
			found = append(found, conformance.ViolationError{Demand: rule.demand, Story: r.story()})
		}
	}
	return found
}

func (r *read) any(is func(c *call) bool) bool { return slices.ContainsFunc(r.calls, is) }

func (r *read) returned() bool { return r.answered && r.panicked == nil && !r.stuck }
func (r *read) none() bool     { return r.returned() && r.choice == readpolicy.None }

// hidden reports whether a tier has a value that None denies: one that it has
// answered with, or one that it was not asked for, or not long enough, without
// an excuse.
func (r *read) hidden(t *tier) bool {
	if !t.has.hit() {
		return false
	}
	excused := r.left && r.err != nil
	for _, c := range r.calls {
		switch {
		case c.tier != t.id:
		case c.hit() && r.knew(c):
			return true
		case c.timely && c.excused:
			excused = true
		}
	}
	return !excused
}

// lost reports whether the reads of a tier failed, all of them that had ended
// before the answer, and the answer contains none of their errors.
func (r *read) lost(id readpolicy.Choice) bool {
	lost := false
	for _, c := range r.calls {
		if c.tier != id || !r.knew(c) {
			continue
		}
		if c.err == nil || errors.Is(r.err, c.err) {
			return false
		}
		lost = true
	}
	return lost
}

// knew reports whether the policy had the result of c when it answered. Of a
// read that was begun with Go and ended at the moment of the answer, that is
// certain only if the policy could not answer while it was held.
func (r *read) knew(c *call) bool {
	return c.timely && (!c.detached || c.held || c.at.Before(r.at))
}
