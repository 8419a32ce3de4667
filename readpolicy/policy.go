package readpolicy

import "github.com/tiercache/tiercache/internal/readplan"

// Policy is a way to read the two tiers of a cache. The policies are those of this
// package; they are safe for concurrent use.
type Policy interface {
	// Name returns the policy's name in telemetry.
	Name() string

	// Plan returns the order of the calls. Only the cache calls it.
	Plan() readplan.Plan
}

// policy is a Policy. Policies of equal options are equal.
type policy struct {
	name string
	plan readplan.Plan
}

func (p policy) Name() string        { return p.name }
func (p policy) Plan() readplan.Plan { return p.plan }

// Sequential asks L1, and then L2 when L1 has no value or fails. It is the
// default, and the only policy under which a hit in L1 costs no call of L2.
func Sequential() Policy { return policy{name: "sequential"} }

// RaceOption is an option of [Race].
type RaceOption interface{ applyRace(policy) policy }

type raceOption func(policy) policy

func (f raceOption) applyRace(p policy) policy { return f(p) }

// CancelLoser makes [Race] cancel the context of the slower tier's read once the
// faster one has a hit. Default: the read goes on, and Close waits for it.
func CancelLoser() RaceOption {
	return raceOption(func(p policy) policy {
		p.plan.CancelLoser = true
		return p
	})
}

// Race asks both tiers at once, and the first hit wins. When the faster tier has a
// miss or an error, it waits for the other one.
func Race(opts ...RaceOption) Policy {
	p := policy{name: "race", plan: readplan.Plan{Concurrent: true}}
	for _, o := range opts {
		if o != nil {
			p = o.applyRace(p)
		}
	}
	return p
}

// Parallel asks both tiers at once and waits for both. Of two hits, the one that
// expires later wins; an entry that never expires is the latest; in a tie L1 wins.
// Where entries expire earlier in L1 than in L2, because of a limit of the TTL in L1 or
// of refills, L2 therefore wins every time.
func Parallel() Policy {
	return policy{name: "parallel", plan: readplan.Plan{Concurrent: true, WaitForBoth: true}}
}
