package readpolicytest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/readpolicy/readpolicytest"
)

func TestRun_ReportsViolations(t *testing.T) {
	if isChild(t) {
		readpolicytest.Run(t, readpolicy.PolicyFunc(l1Only))
		return
	}
	t.Parallel()
	out := child(t, "TestRun_ReportsViolations")
	assert.Contains(t, out, "--- FAIL: TestRun_ReportsViolations/no-tier-late")
	assert.Contains(t, out, "None must not be chosen when a tier has a value: L1 missed, None, nil")
	assert.Contains(t, out, "--- PASS: TestRun_ReportsViolations/name")
	assert.NotContains(t, out, "panic:")
}

func TestRun_NeedsPolicy(t *testing.T) {
	if isChild(t) {
		readpolicytest.Run(t, nil)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestRun_NeedsPolicy"), "readpolicytest: the policy is nil")
}

func TestRun_NeedsNew(t *testing.T) {
	if isChild(t) {
		readpolicytest.Suite{}.Run(t)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestRun_NeedsNew"), "readpolicytest: Suite needs New")
}
