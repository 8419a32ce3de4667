package writepolicy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/writepolicy"
)

const (
	skip = writepolicy.Skipped
	appl = writepolicy.Applied
	fail = writepolicy.Failed
	unkn = writepolicy.Unknown
)

var all = []writepolicy.Outcome{skip, appl, fail, unkn}

// TestAssess_Outcomes has a row for every pair of outcomes.
func TestAssess_Outcomes(t *testing.T) {
	t.Parallel()
	const l1, l2, unclear = writepolicy.L1, writepolicy.L2, writepolicy.TierID(0)
	type pair [2]writepolicy.Outcome
	consistent := map[pair]bool{
		{skip, skip}: true, {skip, fail}: true, {fail, skip}: true, {fail, fail}: true, {appl, appl}: true,
	}
	stale := map[pair]writepolicy.TierID{
		{skip, appl}: l1, {fail, appl}: l1, {unkn, appl}: l1,
		{appl, skip}: l2, {appl, fail}: l2, {appl, unkn}: l2,
		{skip, unkn}: l1, {fail, unkn}: l1,
		{unkn, skip}: l2, {unkn, fail}: l2,
		{unkn, unkn}: unclear,
	}
	assert.Len(t, consistent, 16-len(stale), "every pair has one row")
	for _, o1 := range all {
		for _, o2 := range all {
			want := writepolicy.Verdict{Consistent: true}
			if !consistent[pair{o1, o2}] {
				assert.Contains(t, stale, pair{o1, o2})
				want = writepolicy.Verdict{Stale: stale[pair{o1, o2}]}
			}
			got := writepolicy.Assess(o1, o2, skip, skip)
			assert.Equal(t, want, got, "l1 %v, l2 %v", o1, o2)
			assert.Equal(t, want.Consistent, got.Agreed(), "l1 %v, l2 %v", o1, o2)
		}
	}
}

// TestAssess_Compensation has a row for every pair of outcomes of dropping.
func TestAssess_Compensation(t *testing.T) {
	t.Parallel()
	const none, applied, failed = writepolicy.NoCompensation, writepolicy.CompensationApplied, writepolicy.CompensationFailed
	rows := []struct {
		dropL1, dropL2 writepolicy.Outcome
		want           writepolicy.Compensation
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
		got := writepolicy.Assess(appl, unkn, r.dropL1, r.dropL2)
		want := writepolicy.Verdict{Stale: writepolicy.L2, Compensation: r.want, Resolved: r.resolved}
		assert.Equal(t, want, got, "drop of l1 %v, of l2 %v", r.dropL1, r.dropL2)
		assert.Equal(t, r.resolved, got.Agreed(), "drop of l1 %v, of l2 %v", r.dropL1, r.dropL2)

		both := writepolicy.Verdict{Consistent: true}
		if (r.dropL2 == appl || r.dropL2 == unkn) && r.dropL1 != appl { // L1 alone may have kept it
			both = writepolicy.Verdict{Stale: writepolicy.L1, Compensation: r.want}
		}
		assert.Equal(t, both, writepolicy.Assess(appl, appl, r.dropL1, r.dropL2), "drop of l1 %v, of l2 %v", r.dropL1, r.dropL2)
	}
	assert.Len(t, rows, 16)
}

// What a tier may hold of a key in one of the possible worlds.
const (
	older = "the older state"
	newer = "the newer state"
	empty = "nothing"
)

// mayHold returns what a tier may hold after a write, in each possible world.
func mayHold(write writepolicy.Outcome) []string {
	switch write {
	case appl:
		return []string{newer}
	case unkn:
		return []string{older, newer}
	default: // failed, or never attempted
		return []string{older}
	}
}

// mayKeep returns what a tier that held something may hold after its copy was
// dropped.
func mayKeep(held string, drop writepolicy.Outcome) []string {
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
func model(l1, l2, dropL1, dropL2 writepolicy.Outcome) writepolicy.Verdict {
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
		return writepolicy.Verdict{Consistent: true}
	}
	v := writepolicy.Verdict{Compensation: writepolicy.CompensationApplied}
	if !staleL2 { // also when L1 alone has kept what both had
		v.Stale = writepolicy.L1
	}
	if !staleL1 && staleL2 {
		v.Stale = writepolicy.L2
	}
	for _, drop := range []writepolicy.Outcome{dropL1, dropL2} {
		if drop == fail || drop == unkn {
			v.Compensation = writepolicy.CompensationFailed
		}
	}
	if dropL1 == skip && dropL2 == skip {
		v.Compensation = writepolicy.NoCompensation
	}
	v.Resolved = resolved && v.Compensation != writepolicy.NoCompensation
	return v
}

func TestAssess_Model(t *testing.T) {
	t.Parallel()
	for _, l1 := range all {
		for _, l2 := range all {
			for _, dropL1 := range all {
				for _, dropL2 := range all {
					assert.Equal(t, model(l1, l2, dropL1, dropL2), writepolicy.Assess(l1, l2, dropL1, dropL2),
						"l1 %v, l2 %v, drop of l1 %v, of l2 %v", l1, l2, dropL1, dropL2)
				}
			}
		}
	}
}

func FuzzAssess(f *testing.F) {
	f.Add(byte(appl), byte(unkn), byte(skip), byte(skip))
	f.Add(byte(fail), byte(appl), byte(appl), byte(unkn))
	f.Fuzz(func(t *testing.T, l1, l2, dropL1, dropL2 byte) {
		o := func(b byte) writepolicy.Outcome { return all[int(b)%len(all)] }
		want := model(o(l1), o(l2), o(dropL1), o(dropL2))
		if got := writepolicy.Assess(o(l1), o(l2), o(dropL1), o(dropL2)); got != want {
			t.Errorf("Assess(%v, %v, %v, %v) = %+v, want %+v", o(l1), o(l2), o(dropL1), o(dropL2), got, want)
		}
	})
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]fmt.Stringer{
		"skipped": {writepolicy.Skipped},
		"applied": {writepolicy.Applied, writepolicy.CompensationApplied},
		"failed":  {writepolicy.Failed, writepolicy.CompensationFailed},
		"unknown": {writepolicy.Unknown, writepolicy.TierID(0), writepolicy.TierID(3)},
		"l1":      {writepolicy.L1},
		"l2":      {writepolicy.L2},
		"none":    {writepolicy.NoCompensation},
		"set":     {writepolicy.Set},
		"delete":  {writepolicy.Delete},
		"invalid": {writepolicy.Kind(0), writepolicy.Kind(3)},
	} {
		for _, v := range values {
			assert.Equal(t, want, v.String(), "%T", v)
		}
	}
}
