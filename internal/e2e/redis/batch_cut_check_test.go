package redis_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// check compares all that was told of the operation with the state of the tiers.
func (r *cutRun) check(t *testing.T) {
	t.Helper()
	if r.err != nil {
		var batch *tiercache.BatchError
		require.ErrorAs(t, r.err, &batch)
		assert.NotContains(t, r.err.Error(), "key:")
	}
	l1, l2 := r.f.holds(t)
	differ := make(map[string]bool)
	for i, key := range r.f.keys {
		if r.kind == tier.Get {
			r.checkRead(t, i, l1[i], l2[i])
		} else {
			differ[key] = r.checkWrite(t, i, l1[i], l2[i])
		}
	}
	if r.kind != tier.Get && r.direction == answers {
		assert.Equal(t, r.whole, r.outcomes[tier.Applied], "an answer that has come is believed, and no other is")
	}
	maps.DeleteFunc(differ, func(_ string, may bool) bool { return !may })
	r.checkEvents(t, differ)
}

func (r *cutRun) errorOf(i int) error {
	if batch, ok := errors.AsType[*tiercache.BatchError](r.err); ok {
		return batch.Of(i)
	}
	return nil
}

// checkRead: a value is the right one, and nothing that L2 has is a miss.
func (r *cutRun) checkRead(t *testing.T, i int, l1, l2 string) {
	t.Helper()
	assert.Equal(t, r.old, l2)
	if r.errorOf(i) != nil {
		r.outcomes[tier.Failed]++
		assert.NotZero(t, i, "L1 has the first one")
		assert.Empty(t, l1)
		assert.False(t, r.found[i].OK)
		return
	}
	r.outcomes[tier.Applied]++
	assert.True(t, r.found[i].OK)
	assert.Equal(t, r.old, string(r.found[i].Value))
	assert.Equal(t, r.old, l1)
}

// checkWrite: each tier holds what its outcome says. It returns whether the error says
// that the tiers may differ.
func (r *cutRun) checkWrite(t *testing.T, i int, l1, l2 string) (differ bool) {
	t.Helper()
	err := r.errorOf(i)
	if err == nil {
		r.outcomes[tier.Applied]++
		assert.Equal(t, [2]string{r.new, r.new}, [2]string{l1, l2})
		return false
	}
	var e *tier.WriteError
	require.ErrorAs(t, err, &e)
	r.outcomes[e.L2.Outcome]++
	assert.Contains(t, r.possible(e.L1), l1, "L1: %v", err)
	assert.Contains(t, r.possible(e.L2), l2, "L2: %v", err)
	may := errors.Is(err, tiercache.ErrInconsistent)
	if l1 != "" && l1 != l2 || l1 == "" && l2 != "" && r.kind == tier.Delete {
		assert.True(t, may, "the tiers differ: %v", err)
	}
	return may
}

// possible returns the values that a tier may hold by what was told of it.
func (r *cutRun) possible(result tier.Result) []string {
	switch {
	case result.Compensation == tier.Applied:
		return []string{""}
	case result.Outcome == tier.Applied:
		return []string{r.new}
	case result.Outcome == tier.Unknown:
		return []string{r.old, r.new}
	default: // failed, or it was not called
		return []string{r.old}
	}
}

// checkEvents: the hook, the log and the span tell of each key whose tiers may differ, and
// of no other.
func (r *cutRun) checkEvents(t *testing.T, differ map[string]bool) {
	t.Helper()
	told := make(map[string]bool)
	for _, i := range r.f.Inconsistencies() {
		assert.False(t, told[i.Key], "it was told before")
		assert.False(t, i.Verdict.Resolved)
		told[i.Key] = true
	}
	assert.Equal(t, differ, told)
	assert.Len(t, r.f.events(), len(differ))
	records := 0
	for _, record := range r.f.Records() {
		if record.EventName() == tracing.EventInconsistency {
			records++
		}
	}
	assert.Equal(t, len(differ), records)
}
