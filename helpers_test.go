package tiercache_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// policies are all that the module has, by a name for subtests, except for the
// race that cancels its loser, which has tests of its own.
func policies() map[string]writepolicy.Policy {
	return map[string]writepolicy.Policy{
		"sequential":            writepolicy.Sequential(),
		"sequential_invalidate": writepolicy.Sequential(writepolicy.InvalidateL1()),
		"sequential_l2_first":   writepolicy.Sequential(writepolicy.L2First),
		"parallel":              writepolicy.Parallel(),
		"optimistic_parallel":   writepolicy.OptimisticParallel(),
		"race":                  writepolicy.Race(),
		"race_bounded":          writepolicy.Race(writepolicy.MaxDetached(0)),
		"write_around":          writepolicy.WriteAround(),
		"custom":                foreign(writepolicy.Sequential()),
	}
}

// foreign hides that a policy is one of the module's own.
func foreign(p writepolicy.Policy) writepolicy.Policy {
	return writepolicy.WithName("custom", writepolicy.PolicyFunc(p.Write))
}

// world is a cache with two tiers that can be made to fail, the second one
// remote.
type world struct {
	*tiercache.Cache[string]
	map1, map2 *backendtest.Map[string]
	l1, l2     *backendtest.Faults[string]
}

func newWorld(t *testing.T, opts ...tiercache.Option) *world {
	t.Helper()
	w := &world{map1: backendtest.NewMap[string](), map2: backendtest.NewMap[string]()}
	w.l1 = backendtest.WithFaults(w.map1)
	w.l2 = backendtest.WithFaults(w.map2).Described(backends.Description{System: "fake"})
	cache, err := tiercache.New("users", w.l1, w.l2,
		append([]tiercache.Option{tiercache.WithTelemetry(tracing.Disabled())}, opts...)...)
	require.NoError(t, err)
	w.Cache = cache
	return w
}

// holds says what the tiers hold at key; "" is nothing.
func (w *world) holds(key string) (l1, l2 string) {
	return w.map1.Snapshot()[key].Value, w.map2.Snapshot()[key].Value
}

// assertHolds checks what the tiers hold at the key "k".
func (w *world) assertHolds(t *testing.T, l1, l2 string) {
	t.Helper()
	got1, got2 := w.holds("k")
	assert.Equal(t, [2]string{l1, l2}, [2]string{got1, got2}, "what L1 and L2 hold")
}

// writeCalls is how often a tier was asked to write or to delete.
func writeCalls(f *backendtest.Faults[string]) int {
	return f.Calls(backendtest.Set) + f.Calls(backendtest.Delete)
}

// asError is the error of a write.
func asError(t *testing.T, err error) *tier.WriteError {
	t.Helper()
	var e *tier.WriteError
	require.ErrorAs(t, err, &e)
	return e
}
