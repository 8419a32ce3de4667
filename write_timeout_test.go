package tiercache_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// contexts makes L2 keep the contexts of its writes.
func contexts(f *fixture) *[]context.Context {
	var kept []context.Context
	f.L2.Always(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
		kept = append(kept, ctx)
		return next(ctx)
	})
	return &kept
}

// A tier that hangs ends its write at the timeout, as unknown, with an event:
// that long after its beginning, whatever the caller's own deadline was.
func TestHangingTierEndsAtTheTimeout(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		c := newRecorder()
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(3*time.Second))...)
		f.L2.Next(tier.Set, backendtest.Hang())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_ = f.Set(ctx, "k", "v", 0)
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, 3*time.Second, time.Since(begin))
		require.Len(t, c.Inconsistencies(), 1)
		assert.Equal(t, tier.Unknown, c.Inconsistencies()[0].L2.Outcome)
	})
}

// A tier gets the caller's context in all but its end, and other contexts can be made
// of it without a goroutine that waits. Not parallel: it counts goroutines.
func TestWriteTimeout_ContextOfATier(t *testing.T) {
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
