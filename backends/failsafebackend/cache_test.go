package failsafebackend_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
)

// L2 hangs under a cache whose callers have little time. Its client ends calls by
// a timeout of its own and does not notice who has left, as go-redis does.
func TestBreaker_UnderACache(t *testing.T) {
	t.Parallel()
	silent := func(context.Context, func(context.Context) error) error {
		time.Sleep(3 * time.Second)
		return fmt.Errorf("read: %w", os.ErrDeadlineExceeded)
	}
	load := func(context.Context, string) (string, error) { return "", backends.ErrNotFound }
	for name, test := range map[string]struct {
		fault backendtest.Fault
		call  func(ctx context.Context, c *tiercache.Cache[string], key string) error
	}{
		"Get": {backendtest.Hang(), func(ctx context.Context, c *tiercache.Cache[string], key string) error {
			_, _, err := c.Get(ctx, key)
			return err
		}},
		"Get, a client of its own mind": {silent, func(ctx context.Context, c *tiercache.Cache[string], key string) error {
			_, _, err := c.Get(ctx, key)
			return err
		}},
		"GetOrLoad, a client of its own mind": {silent, func(ctx context.Context, c *tiercache.Cache[string], key string) error {
			_, err := c.GetOrLoad(ctx, key, time.Minute, load)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults := newFaults().Described(backends.Description{System: "redis"})
				always(faults, test.fault)
				cb := circuitbreaker.NewBuilder[any]().WithFailureThreshold(5).Build()
				cache, err := tiercache.New("users", backendtest.NewMap[string](),
					decorate(t, faults, failsafebackend.WithCircuitBreakerPolicy(cb)))
				require.NoError(t, err)
				for i := range 5 {
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					require.Error(t, test.call(ctx, cache, fmt.Sprint(i)))
					cancel()
				}
				time.Sleep(5 * time.Second)
				assert.True(t, cb.IsOpen())
				require.NoError(t, cache.Close(t.Context()))
			})
		})
	}
}
