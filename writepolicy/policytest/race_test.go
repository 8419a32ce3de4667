//go:build race

package policytest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/writepolicy"
	"github.com/tiercache/tiercache/writepolicy/policytest"
)

// racy counts its writes without a lock.
type racy struct {
	writepolicy.Policy
	writes int
}

func (r *racy) Write(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
	r.writes++
	return r.Policy.Write(ctx, op, l1, l2)
}

func TestRun_FindsDataRace(t *testing.T) {
	if isChild(t) {
		policytest.Run(t, &racy{Policy: writepolicy.Sequential()})
		return
	}
	t.Parallel()
	out := child(t, "TestRun_FindsDataRace")
	assert.Contains(t, out, "WARNING: DATA RACE")
	assert.Contains(t, out, "--- FAIL: TestRun_FindsDataRace/concurrent-use")
	assert.Contains(t, out, "--- PASS: TestRun_FindsDataRace/set-no-tier-late")
}
