package backendtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// call is a call in a goroutine of its own. It is used in a bubble.
type call struct{ done chan error }

func start(f func() error) call {
	c := call{done: make(chan error, 1)}
	go func() { c.done <- f() }()
	synctest.Wait()
	return c
}

func (c call) hangs(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-c.done:
		require.Fail(t, "the call has returned", "%v", err)
	default:
	}
}

func (c call) returns(t *testing.T) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-c.done:
		return err
	default:
		require.Fail(t, "the call does not return")
		return nil
	}
}

func TestFault_ThatHangs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault   func() backendtest.Fault
		applied bool
	}{
		"Hang":          {backendtest.Hang, false},
		"ApplyThenHang": {backendtest.ApplyThenHang, true},
		"Delay":         {func() backendtest.Fault { return backendtest.Delay(time.Hour) }, false},
		"Gate.Before":   {func() backendtest.Fault { return backendtest.NewGate().Before() }, false},
		"Gate.After":    {func() backendtest.Fault { return backendtest.NewGate().After() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, behind := newFaults(t)
				f.Next(tier.Set, tc.fault())
				ctx, cancel := context.WithCancelCause(t.Context())
				c := start(func() error { return setNew(ctx, f) })
				c.hangs(t)
				assert.Equal(t, tc.applied, behind.Snapshot()["key"].Value == "new")
				cancel(errOther)
				err := c.returns(t)
				require.ErrorIs(t, err, errOther, "the context's cause")
				require.ErrorIs(t, err, context.Canceled)
				time.Sleep(2 * time.Hour)
				assert.Equal(t, tc.applied, behind.Snapshot()["key"].Value == "new")
			})
		})
	}
}

func TestFault_Hang_UntilTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFaults(t)
		f.Always(tier.Get, backendtest.Hang())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		_, _, err := f.Get(ctx, "key")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestFault_Delay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, behind := newFaults(t)
		f.Next(tier.Set, backendtest.Delay(time.Minute))
		c := start(func() error { return setNew(t.Context(), f) })
		time.Sleep(time.Minute - time.Nanosecond)
		c.hangs(t)
		assert.Equal(t, "old", behind.Snapshot()["key"].Value)
		time.Sleep(time.Nanosecond)
		require.NoError(t, c.returns(t))
		assert.Equal(t, "new", behind.Snapshot()["key"].Value)
	})
}

func TestGate(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f, behind := newFaults(t)
			gate := backendtest.NewGate()
			fault := gate.After()
			if before {
				fault = gate.Before()
			}
			f.Always(tier.Set, fault)
			isClosed := func() bool {
				select {
				case <-gate.Arrived():
					return true
				default:
					return false
				}
			}
			assert.False(t, isClosed())
			one := start(func() error { return setNew(t.Context(), f) })
			assert.True(t, isClosed(), "the first call has come")
			two := start(func() error { return setNew(t.Context(), f) })
			one.hangs(t)
			two.hangs(t)
			assert.Equal(t, !before, behind.Snapshot()["key"].Value == "new")

			f.Clear()
			require.NoError(t, setNew(t.Context(), f), "others pass once the fault is cleared")
			one.hangs(t)

			gate.Open()
			gate.Open() // it stays open
			require.NoError(t, one.returns(t))
			require.NoError(t, two.returns(t))
			f.Always(tier.Set, fault)
			require.NoError(t, setNew(t.Context(), f))
			assert.Equal(t, "new", behind.Snapshot()["key"].Value)
		})
	}
}
