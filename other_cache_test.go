package tiercache_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A cache locks its own keys: code that it calls may write and refill the same key of another
// cache.
func TestReentrant_SameKeyOfAnotherCache(t *testing.T) {
	t.Parallel()
	other := newFixture(t)
	require.NoError(t, other.L2.Set(t.Context(), "k", backends.Entry[string]{Value: "theirs"}))
	policy := writepolicy.PolicyFunc(func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
		value, _, err := other.Get(ctx, op.Key)
		assert.NoError(t, err)
		assert.Equal(t, "theirs", value)
		assertHolds(t, other, "theirs", "theirs")
		assert.NoError(t, other.Set(ctx, op.Key, "ours", 0))
		if err := l1.Write(ctx); err != nil {
			return err
		}
		return l2.Write(ctx)
	})
	f := newFixture(t, tiercache.WithWritePolicy(policy))
	require.NoError(t, f.Set(t.Context(), "k", "v", time.Hour))
	assertHolds(t, f, "v", "v")
	assertHolds(t, other, "ours", "ours")
}

// An L1 that calls its cache while a Set asks it for the version of the source is answered,
// also if the call waits for another key of the same batch.
func TestSourceVersion_L1CallsTheCache(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(ctx context.Context, c *tiercache.Cache[row]) error{
		"Set": func(ctx context.Context, c *tiercache.Cache[row]) error { return c.Set(ctx, "a", row{"a", 1}, 0) },
		"SetMany": func(ctx context.Context, c *tiercache.Cache[row]) error {
			return c.SetMany(ctx, func(yield func(string, row) bool) {
				_ = yield("a", row{"a", 1}) && yield("b", row{"b", 1})
			}, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := backendtest.NewStore[row]()
				l1 := &asking{Map: backendtest.NewMap[row]()}
				c, err := tiercache.New("users", l1, store.Client(), byVersion(), tiercache.WithTelemetry(tracing.Disabled()))
				require.NoError(t, err)
				l1.call = func(ctx context.Context) { assert.NoError(t, c.Set(ctx, "b", row{"inner", 2}, 0)) }
				began := time.Now()
				require.NoError(t, set(t.Context(), c))
				assert.Zero(t, time.Since(began), "nobody had to be given up on")
				assert.Equal(t, row{"a", 1}, store.Snapshot()["a"].Value)
				assert.Equal(t, row{"inner", 2}, store.Snapshot()["b"].Value)
				require.NoError(t, c.Close(t.Context()))
			})
		})
	}
}

// asking is an L1 whose first lookup of "a" calls.
type asking struct {
	*backendtest.Map[row]
	call func(ctx context.Context)
	once sync.Once
}

func (a *asking) Get(ctx context.Context, key string) (backends.Entry[row], bool, error) {
	if key == "a" {
		a.once.Do(func() { a.call(ctx) })
	}
	return a.Map.Get(ctx, key)
}

// GetValue hides that of the map.
func (a *asking) GetValue(ctx context.Context, key string) (row, bool, error) {
	entry, ok, err := a.Get(ctx, key)
	return entry.Value, ok, err
}
