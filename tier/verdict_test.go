package tier_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/tier"
)

const (
	skip = tier.Skipped
	appl = tier.Applied
	fail = tier.Failed
	unkn = tier.Unknown
	supd = tier.Superseded
)

var all = []tier.Outcome{skip, appl, fail, unkn, supd}

const (
	before = tier.Before
	after  = tier.After
	absent = tier.Absent
	newer  = tier.Newer
)

// TestAssess_Certain has a row for every pair of states. The calls of tiers in every
// order are tested by package tally.
func TestAssess_Certain(t *testing.T) {
	t.Parallel()
	const agree = tier.ID(9)
	for _, row := range []struct {
		l1, l2      tier.States
		set, delete tier.ID // the stale tier
	}{
		{before, before, agree, agree},
		{before, after, tier.L1, tier.L1},
		{before, absent, tier.L1, tier.L1},
		{before, newer, tier.L1, tier.L1},
		{after, before, tier.L2, tier.L2},
		{after, after, agree, agree},
		{after, absent, tier.L1, agree}, // a deleted copy is as good as a dropped one
		{after, newer, tier.L1, agree},
		{absent, before, agree, agree}, // reads go to L2
		{absent, after, agree, agree},
		{absent, absent, agree, agree},
		{absent, newer, agree, agree},
		{newer, before, tier.L2, tier.L2},
		{newer, after, tier.L2, tier.L2},
		{newer, absent, tier.L1, tier.L1},
		{newer, newer, agree, agree},
	} {
		for kind, stale := range map[tier.Kind]tier.ID{tier.Set: row.set, tier.Delete: row.delete} {
			want := tier.Verdict{Stale: stale}
			if stale == agree {
				want = tier.Verdict{Consistent: true}
			}
			got := tier.Assess(kind, tier.Pair[tier.Possible]{
				L1: tier.Possible{Written: row.l1, Final: row.l1},
				L2: tier.Possible{Written: row.l2, Final: row.l2},
			}, tier.NoCompensation)
			assert.Equal(t, want, got, "%v: l1 %b, l2 %b", kind, row.l1, row.l2)
			assert.Equal(t, want.Consistent, got.Agreed())
		}
	}
}

// A write of L2 that may arrive later takes the protection from an absent copy in L1:
// a reader may have filled it by then.
func TestAssess_Pending(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		l1, l2   tier.States
		pending  bool
		resolved bool
	}{
		{"not pending", absent, before | after, false, true},
		{"pending", absent, before | after, true, false},
		{"pending, and it changes nothing any more", absent, after, true, true},
		{"pending, and L1 has the value", after, after, true, true},
	} {
		got := tier.Assess(tier.Set, tier.Pair[tier.Possible]{
			L1: tier.Possible{Written: before, Final: row.l1},
			L2: tier.Possible{Written: before | after, Final: row.l2, Pending: row.pending},
		}, tier.CompensationApplied)
		want := tier.Verdict{Stale: tier.L1, Compensation: tier.CompensationApplied, Resolved: row.resolved}
		assert.Equal(t, want, got, row.name)
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]fmt.Stringer{
		"skipped":    {tier.Skipped},
		"applied":    {tier.Applied, tier.CompensationApplied, tier.RefillApplied},
		"failed":     {tier.Failed, tier.CompensationFailed, tier.RefillFailed},
		"unknown":    {tier.Unknown, tier.Outcome(tier.Outcomes), tier.ID(0), tier.ID(3)},
		"l1":         {tier.L1},
		"l2":         {tier.L2},
		"none":       {tier.NoCompensation, tier.NotRefilled},
		"set":        {tier.Set},
		"delete":     {tier.Delete},
		"invalid":    {tier.Kind(0), tier.Kind(tier.Kinds)},
		"invalidate": {tier.Invalidate}, "get": {tier.Get}, "refill": {tier.Refill}, "stage": {tier.Stage},
		"load": {tier.Load, tier.LookupLoad}, "hit": {tier.LookupHit}, "miss": {tier.LookupMiss},
		"error": {tier.LookupError, tier.Lookup(tier.Lookups)}, "negative": {tier.LookupNegative}, "stale": {tier.LookupStale},
		"superseded": {tier.Superseded, tier.RefillSuperseded}, "update": {tier.Update},
		"fenced": {tier.RefillFenced}, "disabled": {tier.RefillDisabled},
	} {
		for _, v := range values {
			assert.Equal(t, want, v.String(), "%T", v)
		}
	}
}
