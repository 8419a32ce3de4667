package tally_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/tier"
)

const (
	skip = tier.Skipped
	appl = tier.Applied
	fail = tier.Failed
	unkn = tier.Unknown
)

var all = []tier.Outcome{skip, appl, fail, unkn}

// assess lets a Set write both tiers and compensate in both, one call after the
// other. A skipped call is not made.
func assess(l1, l2, dropL1, dropL2 tier.Outcome) tier.Verdict {
	t := tally.Tally{Kind: tier.Set}
	for _, call := range []struct {
		id      tier.ID
		verb    tally.Verb
		outcome tier.Outcome
	}{
		{tier.L1, tally.Write, l1},
		{tier.L2, tally.Write, l2},
		{tier.L1, tally.Compensate, dropL1},
		{tier.L2, tally.Compensate, dropL2},
	} {
		if call.outcome != skip {
			t.End(call.id, call.verb, t.Begin(), call.outcome, nil)
		}
	}
	return t.Verdict()
}

// TestVerdict_Outcomes has a row for every pair of outcomes.
func TestVerdict_Outcomes(t *testing.T) {
	t.Parallel()
	const l1, l2, unclear = tier.L1, tier.L2, tier.ID(0)
	type pair [2]tier.Outcome
	consistent := map[pair]bool{
		{skip, skip}: true, {skip, fail}: true, {fail, skip}: true, {fail, fail}: true, {appl, appl}: true,
	}
	stale := map[pair]tier.ID{
		{skip, appl}: l1, {fail, appl}: l1, {unkn, appl}: l1,
		{appl, skip}: l2, {appl, fail}: l2, {appl, unkn}: l2,
		{skip, unkn}: l1, {fail, unkn}: l1,
		{unkn, skip}: l2, {unkn, fail}: l2,
		{unkn, unkn}: unclear,
	}
	assert.Len(t, consistent, 16-len(stale), "every pair has one row")
	for _, o1 := range all {
		for _, o2 := range all {
			want := tier.Verdict{Consistent: true}
			if !consistent[pair{o1, o2}] {
				assert.Contains(t, stale, pair{o1, o2})
				want = tier.Verdict{Stale: stale[pair{o1, o2}]}
			}
			got := assess(o1, o2, skip, skip)
			assert.Equal(t, want, got, "l1 %v, l2 %v", o1, o2)
			assert.Equal(t, want.Consistent, got.Agreed(), "l1 %v, l2 %v", o1, o2)
		}
	}
}

// TestVerdict_Compensation has a row for every pair of outcomes of dropping.
func TestVerdict_Compensation(t *testing.T) {
	t.Parallel()
	const none, applied, failed = tier.NoCompensation, tier.CompensationApplied, tier.CompensationFailed
	rows := []struct {
		dropL1, dropL2 tier.Outcome
		want           tier.Compensation
		resolved       bool
	}{
		{skip, skip, none, false},
		{skip, appl, applied, false}, // L1 still answers
		{skip, fail, failed, false},
		{skip, unkn, failed, false},
		{appl, skip, applied, true},
		{appl, appl, applied, true},
		{appl, fail, failed, true}, // there is nothing in L1, so both readers get what is in L2
		{appl, unkn, failed, true},
		{fail, skip, failed, false},
		{fail, appl, failed, false},
		{fail, fail, failed, false},
		{fail, unkn, failed, false},
		{unkn, skip, failed, false},
		{unkn, appl, failed, false},
		{unkn, fail, failed, false},
		{unkn, unkn, failed, false},
	}
	for _, r := range rows {
		got := assess(appl, unkn, r.dropL1, r.dropL2)
		want := tier.Verdict{Stale: tier.L2, Compensation: r.want, Resolved: r.resolved}
		assert.Equal(t, want, got, "drop of l1 %v, of l2 %v", r.dropL1, r.dropL2)
		assert.Equal(t, r.resolved, got.Agreed(), "drop of l1 %v, of l2 %v", r.dropL1, r.dropL2)

		both := tier.Verdict{Consistent: true}
		if (r.dropL2 == appl || r.dropL2 == unkn) && r.dropL1 != appl { // L1 alone may have kept it
			both = tier.Verdict{Stale: tier.L1, Compensation: r.want}
		}
		assert.Equal(t, both, assess(appl, appl, r.dropL1, r.dropL2), "drop of l1 %v, of l2 %v", r.dropL1, r.dropL2)
	}
	assert.Len(t, rows, 16)
}

// The states of a tier at a key in one of the possible worlds.
const (
	older = "the older state"
	newer = "the newer state"
	empty = "nothing"
)

// mayHold returns the states of a tier after a write, in each possible world.
func mayHold(write tier.Outcome) []string {
	switch write {
	case appl:
		return []string{newer}
	case unkn:
		return []string{older, newer}
	default: // failed, or never attempted
		return []string{older}
	}
}

// mayKeep returns the states of a tier after its copy was dropped.
func mayKeep(held string, drop tier.Outcome) []string {
	switch drop {
	case appl:
		return []string{empty}
	case unkn:
		return []string{held, empty}
	default:
		return []string{held}
	}
}

// model goes through all worlds that the outcomes allow.
func model(l1, l2, dropL1, dropL2 tier.Outcome) tier.Verdict {
	staleL1, staleL2, resolved := false, false, true
	for _, held1 := range mayHold(l1) {
		for _, held2 := range mayHold(l2) {
			staleL1 = staleL1 || held1 == older && held2 == newer
			staleL2 = staleL2 || held2 == older && held1 == newer
			for _, left1 := range mayKeep(held1, dropL1) {
				for _, left2 := range mayKeep(held2, dropL2) {
					through := left1 // what is read from L1 and then L2
					if through == empty {
						through = left2
					}
					resolved = resolved && through == left2
				}
			}
		}
	}
	if !staleL1 && !staleL2 && resolved { // nothing was ever different
		return tier.Verdict{Consistent: true}
	}
	v := tier.Verdict{Compensation: tier.CompensationApplied}
	if !staleL2 { // also when L1 alone has kept what both had
		v.Stale = tier.L1
	}
	if !staleL1 && staleL2 {
		v.Stale = tier.L2
	}
	for _, drop := range []tier.Outcome{dropL1, dropL2} {
		if drop == fail || drop == unkn {
			v.Compensation = tier.CompensationFailed
		}
	}
	if dropL1 == skip && dropL2 == skip {
		v.Compensation = tier.NoCompensation
	}
	v.Resolved = resolved && v.Compensation != tier.NoCompensation
	return v
}

func TestVerdict_Model(t *testing.T) {
	t.Parallel()
	for _, l1 := range all {
		for _, l2 := range all {
			for _, dropL1 := range all {
				for _, dropL2 := range all {
					assert.Equal(t, model(l1, l2, dropL1, dropL2), assess(l1, l2, dropL1, dropL2),
						"l1 %v, l2 %v, drop of l1 %v, of l2 %v", l1, l2, dropL1, dropL2)
				}
			}
		}
	}
}

func FuzzVerdict(f *testing.F) {
	f.Add(byte(appl), byte(unkn), byte(skip), byte(skip))
	f.Add(byte(fail), byte(appl), byte(appl), byte(unkn))
	f.Fuzz(func(t *testing.T, l1, l2, dropL1, dropL2 byte) {
		o := func(b byte) tier.Outcome { return all[int(b)%len(all)] }
		want := model(o(l1), o(l2), o(dropL1), o(dropL2))
		if got := assess(o(l1), o(l2), o(dropL1), o(dropL2)); got != want {
			t.Errorf("assess(%v, %v, %v, %v) = %+v, want %+v", o(l1), o(l2), o(dropL1), o(dropL2), got, want)
		}
	})
}

// The error of a tier is that of the attempt that may have changed the most, and of
// the last one among equals.
func TestResults_LastErrorOfTheGravestAttempts(t *testing.T) {
	t.Parallel()
	errs := []error{io.EOF, io.ErrNoProgress, io.ErrShortWrite}
	for name, test := range map[string]struct {
		outcomes []tier.Outcome
		want     int // the attempt
	}{
		"equal":         {[]tier.Outcome{fail, fail, fail}, 2},
		"graver":        {[]tier.Outcome{fail, unkn, fail}, 1},
		"graver, equal": {[]tier.Outcome{fail, unkn, unkn}, 2},
		"superseded":    {[]tier.Outcome{fail, tier.Superseded, fail}, 1},
		"unknown":       {[]tier.Outcome{tier.Superseded, unkn, tier.Superseded}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []tally.Verb{tally.Write, tally.Drop, tally.Compensate} {
				sum := tally.Tally{Kind: tier.Set}
				for i, outcome := range test.outcomes {
					sum.End(tier.L1, verb, sum.Begin(), outcome, errs[i])
				}
				got := sum.Results().L1
				want := tier.Result{Outcome: test.outcomes[test.want], Err: errs[test.want]}
				if verb == tally.Compensate {
					want = tier.Result{Compensation: test.outcomes[test.want], CompensationErr: errs[test.want]}
				}
				assert.Equal(t, want, got)
			}
		})
	}
}

// A Set is a success when one tier certainly has the value, no matter which one. A
// Delete is one when neither tier can have a copy left.
func TestSucceeded(t *testing.T) {
	t.Parallel()
	for _, l1 := range all {
		for _, l2 := range all {
			for kind, want := range map[tier.Kind]bool{
				tier.Set: l1 == appl || l2 == appl, tier.Delete: l1 == appl && l2 == appl,
			} {
				sum := tally.Tally{Kind: kind}
				for id, outcome := range map[tier.ID]tier.Outcome{tier.L1: l1, tier.L2: l2} {
					if outcome != skip {
						sum.End(id, tally.Write, sum.Begin(), outcome, nil)
					}
				}
				assert.Equal(t, want, sum.Succeeded(), "%v: l1 %v, l2 %v", kind, l1, l2)
			}
		}
	}
}

// BothApplied is the short form of two writes, one after the other.
func TestTally_BothApplied(t *testing.T) {
	t.Parallel()
	want := tally.Tally{Kind: tier.Set}
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		want.End(id, tally.Write, want.Begin(), appl, nil)
	}
	got := tally.Tally{Kind: tier.Set}
	got.BothApplied()
	assert.Equal(t, want, got)
}
