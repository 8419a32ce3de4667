// Package tally keeps the books of one write: which calls of the tiers it made,
// in which order they overlapped, and in which states the tiers may be now.
//
// A [Tally] is a value without a lock; its owner guards it. Every call of a tier
// is a pair of [Tally.Begin] and [Tally.End]:
//
//	began := t.Begin()
//	err := backend.Set(ctx, key, entry)
//	t.End(tier.L1, tally.Write, began, outcomeOf(err), err)
//
// The states are exact for any sequence of calls. A call takes effect at some
// instant between its begin and its end, so the state that it leaves is possible
// as long as no call that certainly took effect began after its end. A call of
// unknown outcome to a tier outside of the process may take effect later still:
// nothing rules it out.
package tally

import (
	"math"

	"github.com/tiercache/tiercache/tier"
)

// Verb is a call that a policy makes of a tier.
type Verb uint8

// The verbs.
const (
	Write      Verb = iota // stores or removes the entry
	Drop                   // drops the copy, as the tier's part in the write
	Compensate             // drops the copy, because the other tier was not reached
)

// Mark is an instant of an operation.
type Mark uint32

// never is later than any instant: a pending call may still take effect.
const never = Mark(math.MaxUint32)

// Tally is the account of one write. Its zero value, with Kind and Remote set, is
// ready.
type Tally struct {
	Kind   tier.Kind
	Remote tier.Pair[bool] // a call of unknown outcome may take effect after its end

	clock   Mark
	results tier.Pair[tier.Result]
	tracks  tier.Pair[track]
}

// track is the history of one tier, as far as it matters: for each state, the
// latest end of a call that may have left it, and the latest begin of a call that
// certainly took effect.
type track struct {
	after, absent, compensated, newer Mark
	written                           Mark // by Write and Drop
	certain                           Mark // by any call
}

// Reset makes t ready for another write of the same tiers.
func (t *Tally) Reset() { *t = Tally{Remote: t.Remote} }

// Begin notes that a call begins.
func (t *Tally) Begin() Mark {
	t.clock++
	return t.clock
}

// End notes the outcome of a call that began at the mark: Applied, Failed, Unknown
// or, for a Write alone, Superseded. A call that was never made is not noted.
func (t *Tally) End(id tier.ID, verb Verb, began Mark, outcome tier.Outcome, err error) {
	t.clock++
	t.note(id, verb, outcome, err)
	if outcome == tier.Failed || outcome == tier.Skipped {
		return
	}
	track, ended := t.tracks.At(id), t.clock
	if outcome == tier.Unknown && *t.Remote.At(id) {
		ended = never
	}
	state := track.state(t.Kind, verb, outcome)
	*state = max(*state, ended)
	if outcome == tier.Unknown {
		return
	}
	track.certain = max(track.certain, began)
	if verb != Compensate {
		track.written = max(track.written, began)
	}
}

// BothApplied notes the first two calls: a Write of L1, which was applied, and after it
// one of L2, which was too. It is what two pairs of Begin and End note, which would take
// six times as long (budget Set/policy=sequential/telemetry=off).
func (t *Tally) BothApplied() {
	t.clock = 4
	t.results.L1.Outcome, t.results.L2.Outcome = tier.Applied, tier.Applied
	t.tracks.L1.after, t.tracks.L1.written, t.tracks.L1.certain = 2, 1, 1
	t.tracks.L2.after, t.tracks.L2.written, t.tracks.L2.certain = 4, 3, 3
}

// state returns the latest end of the calls that leave the state of this one.
func (k *track) state(kind tier.Kind, verb Verb, outcome tier.Outcome) *Mark {
	switch {
	case outcome == tier.Superseded:
		return &k.newer
	case verb == Compensate:
		return &k.compensated
	case verb == Drop && kind != tier.Delete:
		return &k.absent
	default:
		return &k.after
	}
}

// note keeps the outcome for the error and the event. A later attempt takes
// nothing back, and a write makes a copy that no earlier compensation has dropped.
func (t *Tally) note(id tier.ID, verb Verb, outcome tier.Outcome, err error) {
	r := t.results.At(id)
	if verb == Compensate {
		if rank(outcome) >= rank(r.Compensation) {
			r.Compensation, r.CompensationErr = outcome, err
		}
		return
	}
	if outcome.Possible() {
		r.Compensation, r.CompensationErr = tier.Skipped, nil
	}
	if rank(outcome) >= rank(r.Outcome) {
		r.Outcome, r.Err = outcome, err
	}
}

// rank orders outcomes by how much a tier may have changed.
func rank(o tier.Outcome) int {
	switch o {
	case tier.Skipped:
		return 0
	case tier.Failed:
		return 1
	case tier.Superseded:
		return 2
	case tier.Unknown:
		return 3
	default:
		return 4
	}
}

// Results returns the results of both tiers, of the calls that have ended.
func (t *Tally) Results() *tier.Pair[tier.Result] { return &t.results }

// Applied reports whether both tiers did their part, and nothing was compensated or
// refused: the usual end, for which no verdict is needed. L1's part may have been to
// drop its copy.
func (t *Tally) Applied() bool {
	l1, l2 := &t.tracks.L1, &t.tracks.L2
	return t.results.L1.Outcome == tier.Applied && t.results.L2.Outcome == tier.Applied &&
		l1.compensated|l1.newer|l2.absent|l2.compensated|l2.newer == 0
}

// Possible returns the states in which a tier may be.
func (t *Tally) Possible(id tier.ID) tier.Possible {
	k := t.tracks.At(id)
	return tier.Possible{
		Written: k.states(k.written, 0),
		Final:   k.states(k.certain, k.compensated),
		Pending: max(k.after, k.absent, k.compensated, k.newer) == never,
	}
}

// states returns those that no certain call, the latest of which began at the
// mark, has replaced.
func (k *track) states(certain, compensated Mark) (s tier.States) {
	if certain == 0 {
		s = tier.Before
	}
	for _, c := range [...]struct {
		ended Mark
		state tier.States
	}{{k.after, tier.After}, {k.absent, tier.Absent}, {compensated, tier.Absent}, {k.newer, tier.Newer}} {
		if c.ended > certain {
			s |= c.state
		}
	}
	return s
}

// Verdict says whether the tiers may differ.
func (t *Tally) Verdict() tier.Verdict {
	if t.Applied() {
		return tier.Verdict{Consistent: true}
	}
	p := tier.Pair[tier.Possible]{L1: t.Possible(tier.L1), L2: t.Possible(tier.L2)}
	return tier.Assess(t.Kind, p, t.compensation())
}

func (t *Tally) compensation() tier.Compensation {
	sum := tier.NoCompensation
	for _, c := range [...]tier.Outcome{t.results.L1.Compensation, t.results.L2.Compensation} {
		switch {
		case c == tier.Skipped:
		case c != tier.Applied:
			return tier.CompensationFailed
		default:
			sum = tier.CompensationApplied
		}
	}
	return sum
}

// Succeeded reports whether the write may count as a success: for a Set, one tier
// certainly has the value or something newer; for a Delete, neither tier can have a
// copy left that is not newer.
func (t *Tally) Succeeded() bool {
	l1, l2 := t.Possible(tier.L1).Final, t.Possible(tier.L2).Final
	if t.Kind == tier.Delete {
		return (l1|l2)&^(tier.After|tier.Absent|tier.Newer) == 0
	}
	const has = tier.After | tier.Newer
	return l1&^has == 0 || l2&^has == 0
}
