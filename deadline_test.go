package tiercache_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// contexts makes L2 keep the contexts of its writes.
func contexts(f *fixture) *[]context.Context {
	var kept []context.Context
	f.L2.Always(backendtest.Set, func(ctx context.Context, next func(context.Context) error) error {
		kept = append(kept, ctx)
		return next(ctx)
	})
	return &kept
}

// A write has its timeout, or up to a 64th less when it shares the timer of one
// that began shortly before.
func TestWriteTimeoutIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const timeout = 64 * time.Second
		f := newFixture(t, tiercache.WithWriteTimeout(timeout))
		kept := contexts(f)
		begin := time.Now()
		for _, test := range []struct {
			pause, ends time.Duration // since the write before, and since begin
		}{
			{0, timeout},
			{time.Second - 1, timeout},
			{1, time.Second + timeout},
			{0, time.Second + timeout},
			{time.Hour, time.Hour + time.Second + timeout},
		} {
			time.Sleep(test.pause)
			require.NoError(t, f.Set(t.Context(), "k", "v", 0))
			ctx := (*kept)[len(*kept)-1]
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, test.ends, deadline.Sub(begin))
			require.NoError(t, ctx.Err())
		}
		last := (*kept)[len(*kept)-1]
		<-last.Done()
		require.ErrorIs(t, last.Err(), context.DeadlineExceeded)
		require.ErrorIs(t, context.Cause(last), context.DeadlineExceeded)
		require.NoError(t, f.Close(t.Context()))
	})
}

// What a tier gets is the caller's context in all but its end, and other contexts
// can be made of it without a goroutine that waits. Not parallel: it counts
// goroutines.
func TestWriteTimeout_Context(t *testing.T) {
	f := newFixture(t)
	kept := contexts(f)
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	require.NoError(t, f.Set(ctx, "k", "v", 0))
	cancel()
	got := (*kept)[0]
	assert.Equal(t, "value", got.Value(key{}))
	require.NoError(t, got.Err(), "the caller's end is not its end")

	before := runtime.NumGoroutine()
	derived, stop := context.WithCancel(got)
	defer stop()
	assert.Equal(t, before, runtime.NumGoroutine())
	require.NoError(t, derived.Err())
	require.NoError(t, f.Close(t.Context()))
	<-derived.Done() // the cache has freed the timer
	require.ErrorIs(t, context.Cause(derived), context.Canceled)
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
		f := newFixture(t)
		kept := contexts(f)
		ctx, cancel := context.WithCancelCause(t.Context())
		require.NoError(t, f.Set(endless{ctx}, "k", "v", 0))
		cancel(errRefused)
		got := (*kept)[0]
		<-got.Done()
		require.ErrorIs(t, context.Cause(got), context.DeadlineExceeded)
		require.NoError(t, f.Close(t.Context()))
	})
}

// The clock goes back, as for a cache that is used in a bubble after it was used
// outside.
func TestWriteTimeout_ClockGoesBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	kept := contexts(f)
	require.NoError(t, f.Set(t.Context(), "k", "v", 0))
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		deadline, ok := (*kept)[1].Deadline()
		assert.True(t, ok)
		assert.Equal(t, tiercache.DefaultWriteTimeout, time.Until(deadline))
		require.NoError(t, f.Close(t.Context()))
	})
}
