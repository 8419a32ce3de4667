package readpolicytest

import (
	"testing"
	"time"

	"github.com/tiercache/tiercache/internal/conformance"
	"github.com/tiercache/tiercache/readpolicy"
)

// patience is how long, in the time of a bubble, a late tier is held, how long a
// policy may then take to answer, and how long it is watched afterwards.
const patience = time.Minute

// found is what a tier has at the key. Hits differ in how long they live.
type found int

const (
	miss found = iota
	failure
	hitForEver
	hitForHours
	hitForDays
)

func (f found) hit() bool { return f >= hitForEver }

// script is what both tiers answer.
type script struct{ l1, l2 found }

// scripts returns all of them.
func scripts() (all []script) {
	for l1 := miss; l1 <= hitForDays; l1++ {
		for l2 := miss; l2 <= hitForDays; l2++ {
			all = append(all, script{l1, l2})
		}
	}
	return all
}

// order names the tiers that are held, in the order in which they are let go.
type order struct {
	name  string
	late  []readpolicy.Choice
	leave bool // before they are let go, ctx ends
}

var orders = []order{
	{name: "no-tier-late"},
	{name: "l1-late", late: []readpolicy.Choice{readpolicy.L1}},
	{name: "l2-late", late: []readpolicy.Choice{readpolicy.L2}},
	{name: "both-late-l2-more", late: []readpolicy.Choice{readpolicy.L1, readpolicy.L2}},
	{name: "both-late-l1-more", late: []readpolicy.Choice{readpolicy.L2, readpolicy.L1}},
	{name: "both-late-and-ctx-ends", late: []readpolicy.Choice{readpolicy.L1, readpolicy.L2}, leave: true},
	{name: "l2-late-and-ctx-ends", late: []readpolicy.Choice{readpolicy.L2}, leave: true},
}

// checkAnswers lets the policy read once for every script.
func (s Suite) checkAnswers(t *testing.T, o order) (violations []error) {
	for _, sc := range scripts() {
		violations = conformance.Add(violations, inBubble(t, func(t *testing.T) []error {
			p := s.newPolicy(t)
			r := newRead(sc, o.late...)
			go r.run(p)
			if o.leave {
				time.Sleep(patience) // until it can do nothing but wait
				r.leave()
			}
			for _, id := range o.late {
				time.Sleep(patience)
				r.tier(id).release()
			}
			time.Sleep(patience) // until it has answered
			r.stop()
			time.Sleep(patience) // until it has done what it should not do
			r.leave()
			return r.violations()
		}))
	}
	return nearestFirst(violations)
}

// checkConcurrent reads many keys at once.
func (s Suite) checkConcurrent(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) (violations []error) {
		p := s.newPolicy(t)
		var reads []*read
		for _, sc := range scripts() {
			r := newRead(sc)
			reads = append(reads, r)
			go r.run(p)
		}
		time.Sleep(patience)
		for _, r := range reads {
			r.stop()
		}
		time.Sleep(patience)
		for _, r := range reads {
			r.leave()
			violations = conformance.Add(violations, r.violations())
		}
		return nearestFirst(violations)
	})
}

// checkName leaves it to the other checks to report a read that does not end.
func (s Suite) checkName(t *testing.T) []error {
	violations := inBubble(t, func(t *testing.T) []error {
		p := s.newPolicy(t)
		named, ok := p.(readpolicy.Named)
		if !ok {
			return nil
		}
		return conformance.Name(named.Name, func() {
			r := newRead(scripts()[0])
			go r.run(p)
			time.Sleep(patience)
			r.leave()
		})
	})
	return conformance.Without(violations, conformance.NoGoroutines)
}

func inBubble(t *testing.T, f func(t *testing.T) []error) []error {
	t.Helper()
	return conformance.InBubble(t, f, mustReturn, doneReturns)
}
