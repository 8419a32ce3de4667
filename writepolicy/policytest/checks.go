package policytest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tiercache/tiercache/internal/conformance"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// patience is how long, in the time of a bubble, a late tier is held, how long a
// policy may then take to answer, and how long it is watched afterwards.
const patience = time.Minute

// script holds the outcomes of the calls of both tiers.
type script struct{ l1, l2, dropL1, dropL2 tier.Outcome }

// failures returns how many of the calls are not applied.
func (sc script) failures() (n int) {
	for _, outcome := range []tier.Outcome{sc.l1, sc.l2, sc.dropL1, sc.dropL2} {
		if outcome != tier.Applied {
			n++
		}
	}
	return n
}

// scripts returns all of them, those with the fewest failures first, because they
// show a mistake best.
func scripts() (all []script) {
	outcomes := []tier.Outcome{tier.Applied, tier.Failed, tier.Unknown}
	for _, l1 := range outcomes {
		for _, l2 := range outcomes {
			for _, dropL1 := range outcomes {
				for _, dropL2 := range outcomes {
					all = append(all, script{l1, l2, dropL1, dropL2})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b script) int { return a.failures() - b.failures() })
	return all
}

// order names the tiers whose calls are held, in the order in which they are released.
type order struct {
	name string
	late []tier.ID
}

var orders = []order{
	{"no-tier-late", nil},
	{"l1-late", []tier.ID{tier.L1}},
	{"l2-late", []tier.ID{tier.L2}},
	{"both-late-l2-more", []tier.ID{tier.L1, tier.L2}},
	{"both-late-l1-more", []tier.ID{tier.L2, tier.L1}},
}

// checkOutcomes lets the policy write once for every script.
func (s Suite) checkOutcomes(t *testing.T, kind tier.Kind, o order) (violations []error) {
	for _, sc := range scripts() {
		violations = conformance.Add(violations, inBubble(t, func(t *testing.T) []error {
			p := s.newPolicy(t)
			op := newOperation(writepolicy.Op{Kind: kind, Key: "key"}, sc, o.late...)
			go op.run(p)
			for _, id := range o.late {
				time.Sleep(patience) // until it can do nothing but wait
				op.tier(id).release()
			}
			time.Sleep(patience) // until it has answered
			op.stop()
			time.Sleep(patience) // so that a fault can show
			return op.violations()
		}))
	}
	return nearestFirst(violations)
}

// checkConcurrent writes many keys at once.
func (s Suite) checkConcurrent(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) (violations []error) {
		p := s.newPolicy(t)
		var ops []*operation
		for i, sc := range scripts() {
			for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
				op := newOperation(writepolicy.Op{Kind: kind, Key: fmt.Sprint(kind, " ", i)}, sc)
				ops = append(ops, op)
				go op.run(p)
			}
		}
		time.Sleep(patience)
		for _, op := range ops {
			op.stop()
		}
		time.Sleep(patience)
		for _, op := range ops {
			violations = conformance.Add(violations, op.violations())
		}
		return nearestFirst(violations)
	})
}

func (s Suite) checkOptions(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) []error {
		if v, ok := s.newPolicy(t).(writepolicy.Validator); ok {
			if err := v.Validate(); err != nil {
				return []error{conformance.ViolationError{Demand: validOptions, Report: err.Error()}}
			}
		}
		return nil
	})
}

// checkName does not report a write that does not end; the other checks do.
func (s Suite) checkName(t *testing.T) []error {
	violations := inBubble(t, func(t *testing.T) []error {
		p := s.newPolicy(t)
		named, ok := p.(writepolicy.Named)
		if !ok {
			return nil
		}
		return conformance.Name(named.Name, func() {
			op := newOperation(writepolicy.Op{Kind: tier.Set, Key: "key"}, scripts()[0])
			go op.run(p)
			time.Sleep(patience)
		})
	})
	return conformance.Without(violations, conformance.NoGoroutines)
}

func inBubble(t *testing.T, f func(t *testing.T) []error) []error {
	t.Helper()
	return conformance.InBubble(t, f, mustReturn, doneReturns)
}
