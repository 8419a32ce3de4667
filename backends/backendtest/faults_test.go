package backendtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

var (
	errDown  = errors.New("down")
	errOther = errors.New("other")
)

// newFaults returns a Faults and the store behind it, which holds "old" at "key".
func newFaults(t *testing.T) (f *backendtest.Faults[string], behind *store) {
	t.Helper()
	behind = newStore()
	require.NoError(t, behind.Set(t.Context(), "key", entry{Value: "old"}))
	return backendtest.WithFaults(behind), behind
}

func setNew(ctx context.Context, b backends.Backend[string]) error {
	return b.Set(ctx, "key", entry{Value: "new"})
}

func TestFaults_QueuedComeBeforeAlways(t *testing.T) {
	t.Parallel()
	f, _ := newFaults(t)
	f.Next(tier.Set, backendtest.Lose(errOther), nil)
	f.Always(tier.Set, backendtest.Lose(errDown))
	f.Next(tier.Set, backendtest.Lose(errOther))
	for i, want := range []error{errOther, nil, errOther, errDown, errDown} {
		assert.Equal(t, want, setNew(t.Context(), f), "call %d", i+1)
	}
	f.Next(tier.Set, backendtest.Lose(errOther))
	assert.Equal(t, errOther, setNew(t.Context(), f))
	f.Always(tier.Set, backendtest.Lose(errOther))
	assert.Equal(t, errOther, setNew(t.Context(), f), "the later Always counts")
	f.Always(tier.Set, nil)
	assert.NoError(t, setNew(t.Context(), f))
}

func TestFaults_Clear(t *testing.T) {
	t.Parallel()
	f, _ := newFaults(t)
	for _, call := range []tier.Kind{tier.Set, tier.Delete} {
		f.Next(call, backendtest.Lose(errOther))
		f.Always(call, backendtest.Lose(errDown))
	}
	f.Clear()
	require.NoError(t, setNew(t.Context(), f))
	require.NoError(t, f.Delete(t.Context(), "key"))
	f.Next(tier.Set, backendtest.Lose(errOther))
	assert.Equal(t, errOther, setNew(t.Context(), f), "faults can be given again")
}

func TestFaults_EachCallHasItsOwn(t *testing.T) {
	t.Parallel()
	calls := []tier.Kind{tier.Get, tier.Set, tier.Delete, tier.Stage}
	for _, faulty := range calls {
		f, _ := newFaults(t)
		f.Always(faulty, backendtest.Lose(errDown))
		do := map[tier.Kind]func() error{
			tier.Get:    func() error { _, _, err := f.Get(t.Context(), "key"); return err },
			tier.Set:    func() error { return setNew(t.Context(), f) },
			tier.Delete: func() error { return f.Delete(t.Context(), "key") },
			tier.Stage:  func() error { _, err := f.Stage(t.Context(), "key", entry{}); return err },
		}
		for i, call := range calls {
			for range i + 1 {
				if call == faulty {
					require.ErrorIs(t, do[call](), errDown)
				} else {
					require.NoError(t, do[call]())
				}
			}
		}
		for i, call := range calls {
			assert.Equal(t, i+1, f.Calls(call), "calls are counted, with a fault or without")
		}
	}
}

func TestFaults_Get(t *testing.T) {
	t.Parallel()
	f, _ := newFaults(t)
	f.Next(tier.Get, backendtest.ApplyThenFail(errDown), backendtest.FailBefore(errDown), backendtest.Delay(0))
	for range 2 {
		e, ok, err := f.Get(t.Context(), "key")
		assert.Zero(t, e)
		assert.False(t, ok)
		require.ErrorIs(t, err, errDown)
	}
	e, ok, err := f.Get(t.Context(), "key")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "old", e.Value)
}

func TestFaults_Stage(t *testing.T) {
	t.Parallel()
	inner, behind := newFaults(t)
	for name, next := range map[string]backends.Backend[string]{"over a Stager": inner, "over a plain one": behind} {
		f := backendtest.WithFaults(next)
		f.Next(tier.Set, backendtest.Lose(errDown))
		set, err := f.Stage(t.Context(), "key", entry{Value: name})
		require.NoError(t, err)
		assert.Zero(t, f.Calls(tier.Set))
		assert.NotEqual(t, name, behind.Snapshot()["key"].Value)

		assert.Equal(t, errDown, set(t.Context()), "the fault strikes when the write is made")
		assert.NotEqual(t, name, behind.Snapshot()["key"].Value)
		require.NoError(t, set(t.Context()))
		assert.Equal(t, name, behind.Snapshot()["key"].Value)
		assert.Equal(t, 2, f.Calls(tier.Set))
		assert.Equal(t, 1, f.Calls(tier.Stage))
	}
	assert.Equal(t, 1, inner.Calls(tier.Stage), "it is staged in the backend")

	inner.Next(tier.Stage, backendtest.Lose(errDown))
	set, err := backendtest.WithFaults(inner).Stage(t.Context(), "key", entry{})
	assert.Nil(t, set)
	assert.Equal(t, errDown, err)
}

func TestFaults_Describe(t *testing.T) {
	t.Parallel()
	f := backendtest.WithFaults(newStore())
	assert.Equal(t, backends.Description{InProcess: true}, f.Describe())
	remote := backends.Description{System: "redis", ServerAddress: "cache.internal"}
	assert.Same(t, f, f.Described(remote))
	assert.Equal(t, remote, f.Describe())
	assert.Equal(t, remote, backendtest.WithFaults(f).Describe())
}

func TestMap_Snapshot(t *testing.T) {
	t.Parallel()
	m := newStore()
	ended := entry{Value: "ended", ExpiresAt: time.Now().Add(-time.Second)}
	require.NoError(t, m.Set(t.Context(), "ended", ended))
	require.NoError(t, m.Set(t.Context(), "key", entry{Value: "value"}))
	snapshot := m.Snapshot()
	assert.Equal(t, map[string]entry{"ended": ended, "key": {Value: "value"}}, snapshot, "expired ones included")
	delete(snapshot, "key")
	_, ok, err := m.Get(t.Context(), "key")
	require.NoError(t, err)
	assert.True(t, ok, "it is a copy")
	assert.Equal(t, backends.Description{InProcess: true}, m.Describe())
	assert.Empty(t, newStore().Snapshot())
}

// A call with a nil context strikes no fault, and uses none up.
func TestFaults_NilContext(t *testing.T) {
	t.Parallel()
	var none context.Context
	f := backendtest.WithFaults(newStore())
	f.Next(tier.Set, backendtest.FailBefore(errFlaw))
	f.Always(tier.Get, backendtest.Hang())
	_, _, err := f.Get(none, "k")
	require.ErrorIs(t, err, backends.ErrNilContext)
	require.ErrorIs(t, f.Set(none, "k", entry{}), backends.ErrNilContext)
	assert.Zero(t, f.Calls(tier.Set))
	require.ErrorIs(t, f.Set(t.Context(), "k", entry{}), errFlaw)
}
