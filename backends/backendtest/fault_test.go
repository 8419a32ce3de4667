package backendtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

func TestFault_ThatFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault   backendtest.Fault
		applied bool
		certain bool
	}{
		"FailBefore":    {backendtest.FailBefore(errDown), false, true},
		"Lose":          {backendtest.Lose(errDown), false, false},
		"ApplyThenFail": {backendtest.ApplyThenFail(errDown), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, behind := newFaults(t)
			f.Next(tier.Set, tc.fault)
			err := setNew(t.Context(), f)
			require.ErrorIs(t, err, errDown)
			assert.Equal(t, tc.certain, backends.CertainlyNotApplied(err))
			assert.Equal(t, tc.applied, behind.Snapshot()["key"].Value == "new")
		})
	}
}

func TestFault_ThatPanics(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault   backendtest.Fault
		applied bool
	}{
		"Panic":          {backendtest.Panic(errDown), false},
		"ApplyThenPanic": {backendtest.ApplyThenPanic(errDown), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, behind := newFaults(t)
			f.Next(tier.Set, tc.fault)
			assert.PanicsWithValue(t, errDown, func() { _ = setNew(t.Context(), f) })
			assert.Equal(t, tc.applied, behind.Snapshot()["key"].Value == "new")
		})
	}
}

// A fault that applies first returns the error of applying at once.
func TestFault_ApplyingFails(t *testing.T) {
	t.Parallel()
	gate := backendtest.NewGate()
	for name, fault := range map[string]backendtest.Fault{
		"ApplyThenFail":  backendtest.ApplyThenFail(errDown),
		"ApplyThenHang":  backendtest.ApplyThenHang(),
		"ApplyThenPanic": backendtest.ApplyThenPanic(errDown),
		"Gate.After":     gate.After(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, errOther, fault(t.Context(), func(context.Context) error { return errOther }))
		})
	}
}

func TestFault_Chain(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(name string, err error) backendtest.Fault {
		return func(ctx context.Context, apply func(context.Context) error) error {
			order = append(order, name)
			defer func() { order = append(order, "end of "+name) }()
			return errors.Join(apply(ctx), err)
		}
	}
	apply := func(context.Context) error { order = append(order, "apply"); return nil }
	chain := backendtest.Chain(note("a", nil), note("b", errDown), note("c", nil))
	for range 2 { // it can be used again
		order = nil
		require.ErrorIs(t, chain(t.Context(), apply), errDown)
		assert.Equal(t, []string{"a", "b", "c", "apply", "end of c", "end of b", "end of a"}, order)
	}
	order = nil
	require.NoError(t, backendtest.Chain()(t.Context(), apply))
	assert.Equal(t, []string{"apply"}, order, "an empty chain lets the call pass")
}

// The example of Chain's documentation.
func TestFault_Chain_DelayThenFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, behind := newFaults(t)
		f.Next(tier.Set, backendtest.Chain(backendtest.Delay(time.Minute), backendtest.ApplyThenFail(errDown)))
		begin := time.Now()
		assert.Equal(t, errDown, setNew(t.Context(), f))
		assert.Equal(t, time.Minute, time.Since(begin))
		assert.Equal(t, "new", behind.Snapshot()["key"].Value)
	})
}

func TestFaults_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	f, _ := newFaults(t)
	const workers, rounds = 8, 50
	var calls []call
	for range workers {
		c := call{done: make(chan error, 1)}
		calls = append(calls, c)
		go func() {
			var errs []error
			for range rounds {
				f.Next(tier.Set, backendtest.Lose(errDown))
				f.Always(tier.Delete, backendtest.FailBefore(errDown))
				errs = append(errs, setNew(t.Context(), f), f.Delete(t.Context(), "key"))
				f.Always(tier.Delete, nil)
				_ = f.Calls(tier.Set)
			}
			errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil || errors.Is(err, errDown) })
			c.done <- errors.Join(errs...)
		}()
	}
	for _, c := range calls {
		require.NoError(t, <-c.done)
	}
	assert.Equal(t, workers*rounds, f.Calls(tier.Set))
}
