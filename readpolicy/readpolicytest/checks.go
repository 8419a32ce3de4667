package readpolicytest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	{name: "no tier is late"},
	{name: "l1 is late", late: []readpolicy.Choice{readpolicy.L1}},
	{name: "l2 is late", late: []readpolicy.Choice{readpolicy.L2}},
	{name: "both are late, l2 more", late: []readpolicy.Choice{readpolicy.L1, readpolicy.L2}},
	{name: "both are late, l1 more", late: []readpolicy.Choice{readpolicy.L2, readpolicy.L1}},
	{name: "both are late, and ctx ends", late: []readpolicy.Choice{readpolicy.L1, readpolicy.L2}, leave: true},
	{name: "l2 is late, and ctx ends", late: []readpolicy.Choice{readpolicy.L2}, leave: true},
}

// checkAnswers lets the policy read once for every script.
func (s Suite) checkAnswers(t *testing.T, o order) (violations []error) {
	for _, sc := range scripts() {
		violations = add(violations, inBubble(t, func(t *testing.T) []error {
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
	return violations
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
			violations = add(violations, r.violations())
		}
		return violations
	})
}

// add appends those of more that are not there. Scripts may differ in answers
// that nobody asks for, so that the same thing is found twice.
func add(violations, more []error) []error {
	for _, v := range more {
		if !slices.Contains(violations, v) {
			violations = append(violations, v)
		}
	}
	return violations
}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func (s Suite) checkName(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) (violations []error) {
		p := s.newPolicy(t)
		named, ok := p.(readpolicy.Named)
		if !ok {
			return nil
		}
		name := named.Name()
		if !snakeCase.MatchString(name) {
			violations = append(violations, violation{demand: snakeCaseName, story: fmt.Sprintf("%q", name)})
		}
		r := newRead(scripts()[0])
		go r.run(p)
		time.Sleep(patience)
		r.leave()
		for range 2 {
			if again := named.Name(); again != name {
				return append(violations, violation{demand: oneName, story: fmt.Sprintf("%q, then %q", name, again)})
			}
		}
		return violations
	})
}

// inBubble returns what f, run in a bubble, returns. Goroutines that block for
// ever would end the bubble with a panic; they become a violation, unless f has
// found out already what is stuck.
func inBubble(t *testing.T, f func(t *testing.T) []error) (violations []error) {
	defer func() {
		v := recover()
		switch {
		case v == nil:
		case !strings.HasPrefix(fmt.Sprint(v), "deadlock:"):
			panic(v)
		case !slices.ContainsFunc(violations, isStuck):
			violations = append(violations, violation{demand: noGoroutines, story: "it is blocked for ever"})
		}
	}()
	synctest.Test(t, func(t *testing.T) { violations = f(t) })
	return violations
}
