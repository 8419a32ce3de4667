package redis_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
)

// expectation is what follows from the outcome in L2 under a policy.
type expectation struct {
	succeeds     bool
	l1, drop, l2 tier.Outcome
	event        bool // never resolved
}

// expect is the row of the table of docs/policies.md: by which policy, and what L2 did.
func expect(l2First bool, l2 tier.Outcome) expectation {
	switch {
	case l2 == tier.Applied:
		return expectation{succeeds: true, l1: tier.Applied, l2: l2}
	case !l2First:
		return expectation{l1: tier.Applied, l2: l2, event: true}
	case l2 == tier.Failed:
		return expectation{l2: l2}
	default:
		// Not resolved: L2 may apply the write later, when a read has filled L1 again.
		return expectation{drop: tier.Applied, l2: l2, event: true}
	}
}

// check looks at the error of the write.
func (x expectation) check(t *testing.T, err error) {
	t.Helper()
	if x.succeeds {
		require.NoError(t, err)
		return
	}
	var e *tier.WriteError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, x.l1.String(), e.L1.Outcome.String(), "the outcome in L1: %v", err)
	assert.Equal(t, x.l2.String(), e.L2.Outcome.String(), "the outcome in L2: %v", err)
	assert.Equal(t, x.drop.String(), e.L1.Compensation.String(), "L1's copy dropped: %v", err)
	assert.Equal(t, x.event, errors.Is(err, tiercache.ErrInconsistent), "ErrInconsistent: %v", err)
	assert.NotContains(t, err.Error(), key)
	assert.NotContains(t, err.Error(), newValue)
}

// holds is what L1 holds afterwards.
func (x expectation) holds(written string) string {
	switch {
	case x.drop == tier.Applied:
		return ""
	case x.l1 == tier.Applied:
		return written
	default:
		return oldValue
	}
}
