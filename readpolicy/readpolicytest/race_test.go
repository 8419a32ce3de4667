//go:build race

package readpolicytest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/readpolicy/readpolicytest"
)

// racy counts its reads without a lock.
type racy struct {
	readpolicy.Policy
	reads int
}

func (r *racy) Read(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
	r.reads++
	return r.Policy.Read(ctx, l1, l2)
}

func TestRun_FindsDataRace(t *testing.T) {
	if isChild(t) {
		readpolicytest.Run(t, &racy{Policy: readpolicy.Sequential()})
		return
	}
	t.Parallel()
	out := child(t, "TestRun_FindsDataRace")
	assert.Contains(t, out, "WARNING: DATA RACE")
	assert.Contains(t, out, "--- FAIL: TestRun_FindsDataRace/concurrent-use")
	assert.Contains(t, out, "--- PASS: TestRun_FindsDataRace/no-tier-late")
}
