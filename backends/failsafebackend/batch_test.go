package failsafebackend_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

// batchOf returns Sets of keys, each of which has its own letter as the value.
func batchOf(keys string) (writes []write) {
	for _, key := range keys {
		writes = append(writes, write{Key: string(key), Kind: tier.Set, Entry: entry(string(key))})
	}
	return writes
}

func writeAll(ctx context.Context, b backends.Batcher[string], writes []write) []backends.Done {
	done := make([]backends.Done, len(writes))
	b.WriteMany(ctx, writes, done)
	return done
}

// Those elements are repeated that certainly were not applied.
func TestRetry_WriteMany(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]failsafebackend.Option{
		"WithRetry":       failsafebackend.WithRetry(2, time.Millisecond, time.Second),
		"a user's policy": repeatsAll(2, time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults, s, _ := newVersioned()
				b := decorate(t, faults, opt)
				faults.NextAt(tier.Set, 0, nil, faultOf(failed), faultOf(lost), faultOf(ghost), faultOf(failed))
				done := writeAll(t.Context(), b, batchOf("abcde"))
				for i, want := range []error{nil, nil, errLost, errLost, nil} {
					require.ErrorIs(t, done[i].Err, want, "%d", i)
					assert.False(t, backends.CertainlyNotApplied(done[i].Err))
					assert.Equal(t, want == nil, done[i].Result.Version != 0)
				}
				var made string
				for _, change := range s.Log() {
					made += change.Key
				}
				assert.Equal(t, "adbe", made, "each at most once")
			})
		})
	}
}

// An element is not repeated if a later one of its key may have been applied.
func TestRetry_WriteMany_KeepsTheOrderOfAKey(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		second backendtest.Fault
		again  bool
	}{
		"the later one is applied":  {nil, false},
		"it may have been":          {faultOf(lost), false},
		"it certainly has not been": {faultOf(failed), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults, s, _ := newVersioned()
				b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
				faults.NextAt(tier.Set, 0, faultOf(failed), tc.second)
				writes := batchOf("kk")
				writes[0].Entry.Value, writes[1].Entry.Value = "first", "second"
				done := writeAll(t.Context(), b, writes)
				if tc.again {
					assert.Less(t, done[0].Result.Version, done[1].Result.Version)
					assert.Equal(t, "second", s.Snapshot()["k"].Value)
					return
				}
				require.ErrorIs(t, done[0].Err, errFull)
				assert.True(t, backends.CertainlyNotApplied(done[0].Err))
				assert.NotEqual(t, "first", s.Snapshot()["k"].Value)
				assert.Equal(t, 1, faults.Calls(tier.Set))
			})
		})
	}
}

func TestRetry_WriteMany_EndsAfterAllAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults, s, _ := newVersioned()
		b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		faults.Always(tier.Set, faultOf(failed))
		for _, d := range writeAll(t.Context(), b, batchOf("ab")) {
			require.ErrorIs(t, d.Err, errFull)
			assert.EqualError(t, d.Err, "failsafebackend: write failed after 3 attempts: full")
			assert.True(t, backends.CertainlyNotApplied(d.Err))
		}
		assert.Empty(t, s.Snapshot())
		assert.Equal(t, 3, faults.Calls(tier.Set))
	})
}

func TestRetry_GetMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults, _, c := newVersioned()
		b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		writeAll(t.Context(), c, batchOf("abc"))
		damaged := func(context.Context, func(context.Context) error) error { return &backends.DamagedError{} }
		faults.NextAt(tier.Get, 0, faultOf(lost), nil, damaged, faultOf(ghost))
		got := make([]backends.Got[string], 4)
		b.GetMany(t.Context(), []string{"a", "b", "c", "absent"}, got)
		assert.Equal(t, "a", got[0].Entry.Value)
		assert.Equal(t, "b", got[1].Entry.Value)
		assert.Equal(t, backends.Got[string]{Err: &backends.DamagedError{}}, got[2], "a healthy store says so: it is not repeated")
		assert.Equal(t, backends.Got[string]{}, got[3])
		assert.Equal(t, 2, faults.Calls(tier.Get))
	})
}

// One element that shows an outage makes the batch a failure, and one that a healthy store
// refuses does not.
func TestBreaker_Batches(t *testing.T) {
	t.Parallel()
	faults, s, _ := newVersioned()
	b := decorate(t, faults, failsafebackend.WithCircuitBreaker(1, time.Hour))
	writes := batchOf("abc")
	writes[1].If = backends.Is(1)
	writes[2].Note = make([]byte, 1000)
	for range 2 {
		done := writeAll(t.Context(), b, writes)
		require.NoError(t, done[0].Err)
		assert.Equal(t, backends.RefusedCondition, done[1].Result.Refused)
		var invalid *backends.InvalidWriteError
		require.ErrorAs(t, done[2].Err, &invalid)
	}
	faults.NextAt(tier.Set, 1, faultOf(lost))
	done := writeAll(t.Context(), b, batchOf("abc"))
	require.NoError(t, done[0].Err)
	require.ErrorIs(t, done[1].Err, errLost)
	before := len(s.Log())
	for _, d := range writeAll(t.Context(), b, batchOf("abc")) {
		require.ErrorIs(t, d.Err, circuitbreaker.ErrOpen)
		assert.True(t, backends.CertainlyNotApplied(d.Err))
	}
	assert.Len(t, s.Log(), before)
}

func TestBatch_Panics(t *testing.T) {
	t.Parallel()
	faults, s, _ := newVersioned()
	b := decorate(t, faults, all...)
	faults.NextAt(tier.Set, 1, backendtest.Panic("a stranger's"))
	for _, d := range writeAll(t.Context(), b, batchOf("abc")) {
		var panicked *backends.PanicError
		require.ErrorAs(t, d.Err, &panicked)
		assert.False(t, backends.CertainlyNotApplied(d.Err))
	}
	assert.Len(t, s.Log(), 1, "not repeated")
}

func TestBatch_EndedContext(t *testing.T) {
	t.Parallel()
	faults, _, _ := newVersioned()
	b := decorate(t, faults, all...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, d := range writeAll(ctx, b, batchOf("ab")) {
		require.ErrorIs(t, d.Err, context.Canceled)
		assert.True(t, backends.CertainlyNotApplied(d.Err))
	}
	assert.Empty(t, writeAll(t.Context(), b, nil))
	assert.Zero(t, faults.Calls(tier.Set))
}

// The timeout of an attempt shows in the error of each element.
func TestBatch_Timeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults, _, _ := newVersioned()
		b := decorate(t, faults, failsafebackend.WithTimeout(time.Second))
		faults.Next(tier.Set, backendtest.Hang())
		for _, d := range writeAll(t.Context(), b, batchOf("ab")) {
			require.ErrorIs(t, d.Err, context.DeadlineExceeded)
			assert.False(t, backends.CertainlyNotApplied(d.Err))
		}
	})
}
