package redis_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// check compares all that was told of the call with the state of the tiers.
func (r *scriptRun) check(t *testing.T) {
	t.Helper()
	applied := r.checkTruth(t)
	if r.err != nil {
		assert.NotContains(t, r.err.Error(), key)
	}
	if !r.struck {
		require.ErrorIs(t, r.err, r.scriptScenario.err)
	} else {
		require.Error(t, r.err)
	}
	switch r.outcome() {
	case tier.Applied:
		assert.True(t, applied, "L2 applied it: %v", r.err)
	case tier.Unknown:
		assert.True(t, r.struck)
	default:
		assert.False(t, applied, "L2 did not apply it: %v", r.err)
	}
	if backends.CertainlyNotApplied(r.err) {
		assert.False(t, applied, "certainly not applied: %v", r.err)
	}
	r.checkBelieved(t)
	r.checkWinner(t)
	r.checkL1(t)
}

// checkBelieved: an answer that has come as a whole is believed, and no other is.
func (r *scriptRun) checkBelieved(t *testing.T) {
	t.Helper()
	switch {
	case r.variant == fresh || r.direction == commands: // answers to other commands have come too
	case r.answered >= max(1, r.decides):
		assert.True(t, r.known(), "it was answered: %v", r.err)
	case r.decides > 1: // a read comes first
		assert.Contains(t, []tier.Outcome{tier.Unknown, tier.Skipped}, r.outcome(), "%v", r.err)
	default:
		assert.Equal(t, tier.Unknown, r.outcome(), "%v", r.err)
	}
}

// checkTruth returns whether L2 has applied the write: its log and its value agree.
func (r *scriptRun) checkTruth(t *testing.T) (applied bool) {
	t.Helper()
	if r.after.log == r.before.log {
		assert.Equal(t, r.before, r.after)
		return false
	}
	want := row{}
	if r.kind == tier.Set {
		want = r.new
	}
	assert.Equal(t, r.before.log+1, r.after.log)
	assert.Equal(t, want, r.after.row)
	assert.Equal(t, r.after.log, r.after.version.Seq())
	assert.False(t, r.refused, "the script refuses it")
	return true
}

// outcome is the outcome in L2 that the caller was told. It is Skipped for a call that
// failed before its write.
func (r *scriptRun) outcome() tier.Outcome {
	e, ok := errors.AsType[*tier.WriteError](r.err)
	switch {
	case ok:
		return e.L2.Outcome
	case r.refused && (r.err == nil || errors.Is(r.err, tiercache.ErrConflict)):
		return tier.Superseded
	case r.err == nil:
		return tier.Applied
	default:
		return tier.Skipped // it was reading
	}
}

func (r *scriptRun) known() bool { return r.outcome() != tier.Unknown }

// checkWinner: the winner is what L2 has.
func (r *scriptRun) checkWinner(t *testing.T) {
	t.Helper()
	switch {
	case r.won == nil:
	case r.err != nil:
		assert.False(t, r.stored)
		assert.Equal(t, tiercache.Entry[row]{}, *r.won, "no winner is known")
	default:
		assert.Equal(t, !r.refused, r.stored)
		assert.Equal(t, r.after.row, r.won.Value)
		if r.won.Version != 0 {
			assert.Equal(t, r.after.version, r.won.Version)
		}
	}
}

// checkL1: L1 has what its outcome says, and nothing that L2 refused. If the tiers differ,
// or may, there is one event, and none otherwise.
func (r *scriptRun) checkL1(t *testing.T) {
	t.Helper()
	l1 := r.l1.Snapshot()[key].Value
	if r.refused {
		assert.NotEqual(t, r.new, l1, "L2 refused it")
	}
	e, ok := errors.AsType[*tier.WriteError](r.err)
	if ok && !r.known() && e.L1.Outcome == tier.Skipped {
		assert.Zero(t, l1, "it is dropped, since L2 may have replaced it")
	}
	differ := l1 != row{} && l1 != r.after.row || l1 == row{} && r.kind == tier.Delete && !r.refused && r.after.row != row{}
	if ok {
		assert.Contains(t, r.possible(tier.L1, e.L1), l1, "L1: %v", r.err)
		assert.Contains(t, r.possible(tier.L2, e.L2), r.after.row, "L2: %v", r.err)
	} else {
		assert.False(t, differ, "L1 has %v, L2 %v", l1, r.after.row)
	}
	if differ || !r.known() { // a dropped copy in L1 can come back before the write reaches L2
		assert.ErrorIs(t, r.err, tiercache.ErrInconsistent)
	}
	told := r.event(t, ok && !e.Verdict.Consistent)
	assert.Equal(t, errors.Is(r.err, tiercache.ErrInconsistent), told.Key == key && !told.Verdict.Resolved)
	records := 0
	for _, record := range r.Records() {
		if record.EventName() == tracing.EventInconsistency {
			records++
		}
	}
	assert.Equal(t, told.Key != "", records == 1)
}

// possible returns the rows that a tier may hold by what was told of it.
func (r *scriptRun) possible(id tier.ID, result tier.Result) []row {
	before, after := r.has, r.new
	if id == tier.L1 && r.cold {
		before = row{}
	}
	if r.kind == tier.Delete {
		after = row{}
	}
	switch {
	case result.Compensation == tier.Applied:
		return []row{{}}
	case result.Outcome == tier.Applied:
		return []row{after}
	case result.Outcome == tier.Unknown && !r.refused:
		return []row{before, after}
	default:
		return []row{before}
	}
}
