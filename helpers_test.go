package tiercache_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	secretKey   = "user:4711:token"
	secretValue = "correct horse battery staple"
)

// lostError is an error of which nobody knows whether it came before or after
// the write. It quotes the key, as some clients do.
type lostError struct{}

func (lostError) Error() string { return "connection lost while writing " + secretKey }

func (lostError) ErrorType() string { return "lost" }

var errRefused = errors.New("refused")

// policies are all that the module has, by a name for subtests, except for the
// race that cancels its loser, which has tests of its own.
func policies() map[string]writepolicy.Policy {
	return map[string]writepolicy.Policy{
		"sequential":               writepolicy.Sequential(),
		"sequential_invalidate_l1": writepolicy.Sequential(writepolicy.InvalidateL1()),
		"sequential_l2_first":      writepolicy.Sequential(writepolicy.L2First),
		"parallel":                 writepolicy.Parallel(),
		"optimistic_parallel":      writepolicy.OptimisticParallel(),
		"race":                     writepolicy.Race(),
		"race_bounded":             writepolicy.Race(writepolicy.MaxDetached(0)),
		"write_around":             writepolicy.WriteAround(),
		"custom":                   foreign(writepolicy.Sequential()),
	}
}

// foreign hides that a policy is one of the module's own.
func foreign(p writepolicy.Policy) writepolicy.Policy {
	return writepolicy.WithName("custom", writepolicy.PolicyFunc(p.Write))
}

// fixture is a cache with two tiers that can be made to fail.
type fixture = tiercachetest.Fixture[string]

func newFixture(t *testing.T, opts ...tiercache.Option) *fixture {
	t.Helper()
	return tiercachetest.New[string](t, opts...)
}

// assertHolds checks the values in the tiers at the key "k"; "" is nothing.
func assertHolds(t *testing.T, f *fixture, l1, l2 string) {
	t.Helper()
	got1, got2 := f.Holds("k")
	assert.Equal(t, [2]string{l1, l2}, [2]string{got1, got2}, "what L1 and L2 hold")
}

// writeCalls is how often a tier was asked to write or to delete.
func writeCalls(f *backendtest.Faults[string]) int {
	return f.Calls(tier.Set) + f.Calls(tier.Delete)
}

// asError is the error of a write.
func asError(t *testing.T, err error) *tier.WriteError {
	t.Helper()
	var e *tier.WriteError
	require.ErrorAs(t, err, &e)
	return e
}

// forEachPolicy runs a test under every policy, in a bubble: it fails when a
// goroutine is left behind.
func forEachPolicy(t *testing.T, test func(t *testing.T, p writepolicy.Policy)) {
	t.Helper()
	for name, p := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, p) })
		})
	}
}

// held begins with "old" in L2 alone, as after an eviction in L1.
func held(t *testing.T, opts ...tiercache.Option) *fixture {
	t.Helper()
	f := newFixture(t, opts...)
	require.NoError(t, f.Map2.Set(t.Context(), "k", backends.Entry[string]{Value: "old"}))
	return f
}
