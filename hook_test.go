package tiercache_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// The hook may write the key, also from the goroutine of a detached write.
func TestHookMayWrite(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		var f *fixture
		repairs := 0
		f = newFixture(t, tiercache.WithWritePolicy(p),
			tiercache.WithInconsistencyHook(func(ctx context.Context, i tiercache.Inconsistency) {
				repairs++
				assert.NoError(t, f.Set(ctx, i.Key, "repaired", 0))
			}))
		f.L2.Next(tier.Set, backendtest.Chain(backendtest.Delay(time.Second), backendtest.ApplyThenFail(errRefused)))
		_ = f.Set(t.Context(), "k", "v", 0)
		synctest.Wait()
		time.Sleep(time.Minute) // in the bubble: until the detached write is done
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, 1, repairs)
		l1, l2 := f.Holds("k")
		assert.Equal(t, "repaired", l2)
		assert.Contains(t, []string{"", "repaired"}, l1)
	})
}

// Not parallel: the error handler is global.
func TestHookPanicIsHandled(t *testing.T) {
	var mu sync.Mutex
	var handled []error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		handled = append(handled, err)
	}))
	f := newFixture(t, tiercache.WithInconsistencyHook(func(context.Context, tiercache.Inconsistency) { panic(errRefused) }))
	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
	require.Error(t, f.Set(t.Context(), "k", "v", 0))
	require.NoError(t, f.Close(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, handled, 1)
	require.ErrorIs(t, handled[0], errRefused)
}
