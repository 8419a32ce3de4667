package linearizability

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// scenario is a cache whose calls a script puts into one order. All is about one
// key. It is used in a bubble.
type scenario struct {
	*tiers
	*recorder
	t *testing.T
}

const key = "k"

// runScenario runs a script in a bubble and returns the history, in which all calls
// have ended, and the keys whose tiers differ in silence.
func runScenario(t *testing.T, script func(s *scenario), opts ...tiercache.Option) (o outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newTiers()
		s := &scenario{tiers: w, recorder: newRecorder(w.newCache(t, opts...)), t: t}
		script(s)
		require.NoError(t, s.cache.Close(t.Context()))
		o = outcome{s.done(), w.silent()}
	})
	return o
}

// restarted is a process that begins with an empty L1 and "old" in L2.
func (s *scenario) restarted() {
	require.NoError(s.t, s.Map2.Set(s.t.Context(), key, backends.Entry[string]{Value: "old"}))
	s.begin(key, "old")
}

// put sets value, and nothing goes wrong.
func (s *scenario) put(value string) {
	s.t.Helper()
	require.NoError(s.t, s.set(s.t.Context(), 1, key, value))
}

// newFails sets "new" and gets an error.
func (s *scenario) newFails() {
	s.t.Helper()
	require.Error(s.t, s.set(s.t.Context(), 1, key, "new"))
}

// sees reads the value that it is given.
func (s *scenario) sees(want string) {
	s.t.Helper()
	value, err := s.get(s.t.Context(), 2, key)
	require.NoError(s.t, err)
	require.Equal(s.t, want, value)
}

// seesInL2 is sees for a reader who asks L2 for itself, and refills L1, while another
// reader of the key is being answered.
func (s *scenario) seesInL2(want string) {
	s.t.Helper()
	value, err := s.get(s.t.Context(), 2, key, tiercache.SkipL1())
	require.NoError(s.t, err)
	require.Equal(s.t, want, value)
}

// evict drops the copy in L1.
func (s *scenario) evict() {
	require.NoError(s.t, s.Map1.Delete(s.t.Context(), key))
}

// start begins call, which comes to a gate. The function that it returns opens
// the gate and waits until call has ended.
func (s *scenario) start(gate *backendtest.Gate, call func()) (finish func()) {
	s.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	synctest.Wait()
	select {
	case <-gate.Arrived():
	default:
		require.Fail(s.t, "the call has not come to the gate")
	}
	return func() {
		gate.Open()
		<-done
	}
}

// before makes the next call of a tier wait before it touches the store.
func before(faults *backendtest.Faults[string], call tier.Kind) *backendtest.Gate {
	gate := backendtest.NewGate()
	faults.Next(call, gate.Before())
	return gate
}

// foundInL2 makes the next read of L2 wait before it answers.
func (s *scenario) foundInL2() *backendtest.Gate {
	gate := backendtest.NewGate()
	s.L2.Next(tier.Get, gate.After())
	return gate
}

// refuse makes the next call fail without effect.
func refuse(faults *backendtest.Faults[string], call tier.Kind) {
	faults.Next(call, backendtest.FailBefore(errFault))
}

// assertLinearizable requires that the history has an explanation.
func assertLinearizable(t *testing.T, o outcome) {
	t.Helper()
	assert.True(t, linearizable(o.history), "no order of these calls explains their answers:\n%s", describe(o.history))
}
