package guard_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

const timeout = 64 * time.Second

// remote returns a tier that is not in the process, and the contexts of its
// writes.
func remote() (guarded *guard.Tier[string], contexts func() []context.Context) {
	var got []context.Context
	l2 := backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{})
	l2.Always(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
		got = append(got, ctx)
		return next(ctx)
	})
	return guard.NewTier(tier.L2, l2, guard.Timeouts{Write: timeout}, backends.CertainlyNotApplied), func() []context.Context { return got }
}

// A write has its timeout, or up to a 64th less when it shares the timer of one
// that began shortly before.
func TestWriteTimeoutIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l2, contexts := remote()
		begin := time.Now()
		for i, test := range []struct {
			pause, ends time.Duration // since the write before, and since begin
		}{
			{0, timeout},
			{time.Second - 1, timeout},
			{1, time.Second + timeout},
			{0, time.Second + timeout},
			{time.Hour, time.Hour + time.Second + timeout},
		} {
			time.Sleep(test.pause)
			require.NoError(t, l2.Set(context.WithoutCancel(t.Context()), "k", &backends.Entry[string]{}, nil))
			ctx := contexts()[i]
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, test.ends, deadline.Sub(begin))
			require.NoError(t, ctx.Err())
		}
		last := contexts()[4]
		<-last.Done()
		require.ErrorIs(t, last.Err(), context.DeadlineExceeded)
		require.ErrorIs(t, context.Cause(last), context.DeadlineExceeded)
		l2.Release()
	})
}

// A tier in the process has no timeout.
func TestWriteTimeout_NotInTheProcess(t *testing.T) {
	t.Parallel()
	l1 := guard.NewTier(tier.L1, backendtest.NewMap[string](), guard.Timeouts{Write: timeout}, backends.CertainlyNotApplied)
	ctx, cancel := l1.Limit(context.WithoutCancel(t.Context()))
	defer cancel()
	_, ok := ctx.Deadline()
	assert.False(t, ok)
	l1.Release() // has nothing to free
}

// Release ends the timer, and the next call gets another one.
func TestWriteTimeout_Release(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l2, contexts := remote()
		for range 2 {
			require.NoError(t, l2.Set(context.WithoutCancel(t.Context()), "k", &backends.Entry[string]{}, nil))
		}
		assert.Equal(t, contexts()[0].Done(), contexts()[1].Done(), "calls of one instant share a timer")
		l2.Release()
		require.ErrorIs(t, contexts()[1].Err(), context.Canceled)
		require.NoError(t, l2.Set(context.WithoutCancel(t.Context()), "k", &backends.Entry[string]{}, nil))
		require.NoError(t, contexts()[2].Err())
		l2.Release()
	})
}

// endless is a context that does not end, as they were made before the standard
// library had one.
type endless struct{ context.Context }

func (endless) Deadline() (time.Time, bool) { return time.Time{}, false }
func (endless) Done() <-chan struct{}       { return nil }
func (endless) Err() error                  { return nil }

func TestWriteTimeout_CauseIsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l2, contexts := remote()
		ctx, cancel := context.WithCancelCause(t.Context())
		require.NoError(t, l2.Set(endless{ctx}, "k", &backends.Entry[string]{}, nil))
		cancel(errors.New("of the caller"))
		got := contexts()[0]
		<-got.Done()
		require.ErrorIs(t, context.Cause(got), context.DeadlineExceeded)
		l2.Release()
	})
}

// The clock goes back, as for a cache that is used in a bubble after it was used
// outside.
func TestWriteTimeout_ClockGoesBack(t *testing.T) {
	t.Parallel()
	l2, contexts := remote()
	require.NoError(t, l2.Set(context.WithoutCancel(t.Context()), "k", &backends.Entry[string]{}, nil))
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, l2.Set(context.WithoutCancel(t.Context()), "k", &backends.Entry[string]{}, nil))
		deadline, ok := contexts()[1].Deadline()
		assert.True(t, ok)
		assert.Equal(t, timeout, time.Until(deadline))
		l2.Release()
	})
}
