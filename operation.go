package tiercache

import (
	"errors"
	"sync"

	"github.com/tiercache/tiercache/internal/turn"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// operation is the state of one write: what became of it in each tier, and
// whether it is over. It is over when it was answered and no tier call is in
// flight any more. Whoever makes that true finishes it.
type operation struct {
	op   writepolicy.Op
	turn turn.Turn
	obs  tracing.Write

	// async says that tier calls may run in other goroutines than the policy.
	// As long as they do not, nothing needs to be locked.
	async bool
	mu    sync.Mutex

	results  [2]writepolicy.TierResult
	inFlight [2]int
	answered bool
	settling bool          // no more calls may begin, because the answer waits for those in flight
	settled  chan struct{} // made by settle, closed when nothing is in flight
}

// errAnswered refuses calls of a policy that goes on after its answer.
var errAnswered = errors.New("the policy has answered already")

func (o *operation) lock() {
	if o.async {
		o.mu.Lock()
	}
}

func (o *operation) unlock() {
	if o.async {
		o.mu.Unlock()
	}
}

func (o *operation) reset() {
	o.op = writepolicy.Op{}
	o.results = [2]writepolicy.TierResult{}
	o.answered, o.settling = false, false // and inFlight and settled are zero when it is over
}

// enter counts a tier call that begins. It reports false when it may not begin.
// Only where calls may overlap with the answer is there anything to count.
func (o *operation) enter(id writepolicy.TierID) bool {
	return !o.async || o.count(id)
}

func (o *operation) count(id writepolicy.TierID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.answered || o.settling {
		return false
	}
	o.inFlight[id-writepolicy.L1]++
	return true
}

// left counts a tier call that has ended. It is called locked.
func (o *operation) left(id writepolicy.TierID) {
	o.inFlight[id-writepolicy.L1]--
	if o.settled != nil && o.inFlight == [2]int{} {
		close(o.settled)
		o.settled = nil
	}
}

// settle waits until no tier call is in flight. Each ends by itself.
func (o *operation) settle() {
	o.lock()
	o.settling = true
	if o.inFlight == [2]int{} {
		o.unlock()
		return
	}
	settled := make(chan struct{})
	o.settled = settled
	o.unlock()
	<-settled
}

// record adds what became of a tier call. A policy may call a tier more than
// once: a write that was applied stays applied, one that may have been applied
// does not become certainly not applied by a second attempt, and a write after a
// copy was dropped makes a new copy.
func (o *operation) record(id writepolicy.TierID, call tracing.Call, outcome writepolicy.Outcome, err error) {
	r, other := &o.results[id-writepolicy.L1], &o.results[writepolicy.L2-id]
	untouched := r.Outcome == writepolicy.Skipped && r.Drop == writepolicy.Skipped
	if untouched && outcome == writepolicy.Applied && call != tracing.CallInvalidate {
		r.Outcome = writepolicy.Applied // the usual case, for which the rest says the same
		return
	}
	drop := call == tracing.CallInvalidate
	switch {
	case drop && (r.Outcome != writepolicy.Skipped || other.Outcome != writepolicy.Applied):
		if r.Drop != writepolicy.Applied {
			r.Drop, r.DropErr = outcome, err
		}
		return
	case !drop && outcome != writepolicy.Failed:
		r.Drop, r.DropErr = writepolicy.Skipped, nil
	}
	if rank(outcome) >= rank(r.Outcome) {
		r.Outcome, r.Err = outcome, err
	}
}

// rank orders outcomes by how much they say: a later attempt takes nothing back.
func rank(o writepolicy.Outcome) int {
	switch o {
	case writepolicy.Skipped:
		return 0
	case writepolicy.Failed:
		return 1
	case writepolicy.Unknown:
		return 2
	default:
		return 3
	}
}

func (o *operation) verdict() writepolicy.Verdict {
	l1, l2 := &o.results[0], &o.results[1]
	return writepolicy.Assess(l1.Outcome, l2.Outcome, l1.Drop, l2.Drop)
}

// applied reports whether both tiers applied the write.
func (o *operation) applied() bool {
	return o.results[0].Outcome == writepolicy.Applied && o.results[1].Outcome == writepolicy.Applied
}

// outcome is that of a tier as the answer knows it.
func (o *operation) outcome(id writepolicy.TierID) writepolicy.Outcome {
	if o.inFlight[id-writepolicy.L1] > 0 {
		return tracing.InFlight
	}
	return o.results[id-writepolicy.L1].Outcome
}

// errorOf makes the policy's answer the operation's. A policy cannot call it a
// success when no tier has the write, or when a delete left a copy behind.
func (o *operation) errorOf(policyErr error, policy string) error {
	if policyErr == nil && o.succeeded() {
		return nil
	}
	err := &writepolicy.Error{Kind: o.op.Kind, Policy: policy, L1: o.results[0], L2: o.results[1]}
	for i, r := range []*writepolicy.TierResult{&err.L1, &err.L2} {
		if o.inFlight[i] > 0 {
			r.Outcome = writepolicy.Unknown
		}
	}
	if !onlyTierErrors(policyErr) {
		err.Cause = withoutKey(policyErr, o.op.Key)
	}
	return err
}

func (o *operation) succeeded() bool {
	l1, l2 := &o.results[0], &o.results[1]
	if o.op.Kind == writepolicy.Delete {
		return gone(l1) && gone(l2)
	}
	return kept(l1) || kept(l2)
}

func kept(r *writepolicy.TierResult) bool {
	return r.Outcome == writepolicy.Applied && r.Drop != writepolicy.Applied
}

func gone(r *writepolicy.TierResult) bool {
	return r.Outcome == writepolicy.Applied || r.Drop == writepolicy.Applied
}

// onlyTierErrors reports whether err says nothing that the tiers' results do not.
func onlyTierErrors(err error) bool {
	if err == nil {
		return true
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !onlyTierErrors(e) {
				return false
			}
		}
		return true
	}
	_, ok := err.(*writepolicy.TierError) //nolint:errorlint // what wraps one says more than it
	return ok
}
