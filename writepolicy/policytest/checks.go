package policytest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tiercache/tiercache/writepolicy"
)

// patience is how long, in the time of a bubble, a late tier is held, how long a
// policy may then take to answer, and how long it is watched afterwards.
const patience = time.Minute

// script is what becomes of the calls of both tiers.
type script struct{ l1, l2, dropL1, dropL2 writepolicy.Outcome }

// scripts returns all of them.
func scripts() (all []script) {
	outcomes := []writepolicy.Outcome{writepolicy.Applied, writepolicy.Failed, writepolicy.Unknown}
	for _, l1 := range outcomes {
		for _, l2 := range outcomes {
			for _, dropL1 := range outcomes {
				for _, dropL2 := range outcomes {
					all = append(all, script{l1, l2, dropL1, dropL2})
				}
			}
		}
	}
	return all
}

// order names the tiers whose calls are held, in the order in which they are let
// go.
type order struct {
	name string
	late []writepolicy.TierID
}

var orders = []order{
	{"no tier is late", nil},
	{"l1 is late", []writepolicy.TierID{writepolicy.L1}},
	{"l2 is late", []writepolicy.TierID{writepolicy.L2}},
	{"both are late, l2 more", []writepolicy.TierID{writepolicy.L1, writepolicy.L2}},
	{"both are late, l1 more", []writepolicy.TierID{writepolicy.L2, writepolicy.L1}},
}

// checkOutcomes lets the policy write once for every script.
func (s Suite) checkOutcomes(t *testing.T, kind writepolicy.Kind, o order) (violations []error) {
	for _, sc := range scripts() {
		violations = add(violations, inBubble(t, func(t *testing.T) []error {
			p := s.newPolicy(t)
			op := newOperation(writepolicy.Op{Kind: kind, Key: "key"}, sc, o.late...)
			go op.run(p)
			for _, id := range o.late {
				time.Sleep(patience) // until it can do nothing but wait
				op.tier(id).release()
			}
			time.Sleep(patience) // until it has answered
			op.stop()
			time.Sleep(patience) // until it has done what it should not do
			return op.violations()
		}))
	}
	return violations
}

// checkConcurrent writes many keys at once.
func (s Suite) checkConcurrent(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) (violations []error) {
		p := s.newPolicy(t)
		var ops []*operation
		for i, sc := range scripts() {
			for _, kind := range []writepolicy.Kind{writepolicy.Set, writepolicy.Delete} {
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
			violations = add(violations, op.violations())
		}
		return violations
	})
}

// add appends those of more that are not there. Scripts may differ in calls that
// are not made, so that the same thing is found twice.
func add(violations, more []error) []error {
	for _, v := range more {
		if !slices.Contains(violations, v) {
			violations = append(violations, v)
		}
	}
	return violations
}

func (s Suite) checkOptions(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) []error {
		if v, ok := s.newPolicy(t).(writepolicy.Validator); ok {
			if err := v.Validate(); err != nil {
				return []error{violation{demand: validOptions, story: err.Error()}}
			}
		}
		return nil
	})
}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func (s Suite) checkName(t *testing.T) []error {
	return inBubble(t, func(t *testing.T) (violations []error) {
		p := s.newPolicy(t)
		named, ok := p.(writepolicy.Named)
		if !ok {
			return nil
		}
		name := named.Name()
		if !snakeCase.MatchString(name) {
			violations = append(violations, violation{demand: snakeCaseName, story: fmt.Sprintf("%q", name)})
		}
		op := newOperation(writepolicy.Op{Kind: writepolicy.Set, Key: "key"}, scripts()[0])
		go op.run(p)
		time.Sleep(patience)
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
