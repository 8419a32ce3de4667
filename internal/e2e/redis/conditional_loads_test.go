package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// stringCache is one process.
type stringCache = tiercache.Cache[string]

// conditionalProcesses make a process of each adapter.
var conditionalProcesses = map[string]func(t *testing.T, s *server.Redis, opts ...tiercache.Option) *stringCache{
	"go-redis": func(t *testing.T, s *server.Redis, opts ...tiercache.Option) *stringCache {
		t.Helper()
		client := redis.NewClient(clientOptions(s.Addr))
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		return newLoggedCache(t, client, backends.JSON[string](), opts...)
	},
	"rueidis": func(t *testing.T, s *server.Redis, opts ...tiercache.Option) *stringCache {
		t.Helper()
		l1, err := otterbackend.New[string]()
		require.NoError(t, err)
		l2, err := backends.WithCodec(rueidisAt(t, s.Addr), backends.JSON[string]())
		require.NoError(t, err)
		c, err := tiercache.New("users", l1, l2, append([]tiercache.Option{tiercache.WithWriteTimeout(patience)}, opts...)...)
		require.NoError(t, err)
		t.Cleanup(func() {
			assert.NoError(t, c.Close(context.WithoutCancel(t.Context())))
			assert.NoError(t, l1.Close())
		})
		return c
	},
}

// A load has read the source, when another process changes the key.
func TestConditionalLoads(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	for name, test := range map[string]struct {
		before, change func(ctx ctx, there *stringCache) error
		refresh        bool
		err            error  // of the loader
		on, off        string // what is left; "": nothing
	}{
		"deleted": {
			change: func(ctx ctx, there *stringCache) error { return there.Delete(ctx, key) },
			on:     "", off: oldValue,
		},
		"deleted, and once before": {
			before: func(ctx ctx, there *stringCache) error { return there.Delete(ctx, key) },
			change: func(ctx ctx, there *stringCache) error { return there.Delete(ctx, key) },
			on:     "", off: oldValue,
		},
		"set": {
			change: func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, newValue, time.Hour) },
			on:     newValue, off: oldValue,
		},
		"only before": {
			before: func(ctx ctx, there *stringCache) error { return there.Delete(ctx, key) },
			on:     oldValue, off: oldValue,
		},
		"nothing": {on: oldValue, off: oldValue},
		"a refresh, deleted": {
			before:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, "first", time.Hour) },
			change:  func(ctx ctx, there *stringCache) error { return there.Delete(ctx, key) },
			refresh: true, on: "", off: oldValue,
		},
		"a refresh, set": {
			before:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, "first", time.Hour) },
			change:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, newValue, time.Hour) },
			refresh: true, on: newValue, off: oldValue,
		},
		"a refresh": {
			before:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, "first", time.Hour) },
			refresh: true, on: oldValue, off: oldValue,
		},
		"a refresh finds nothing": {
			before:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, "first", time.Hour) },
			refresh: true, err: tiercache.ErrNotFound, on: "", off: "",
		},
		"a refresh finds nothing, set": {
			before:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, "first", time.Hour) },
			change:  func(ctx ctx, there *stringCache) error { return there.Set(ctx, key, newValue, time.Hour) },
			refresh: true, err: tiercache.ErrNotFound, on: newValue, off: "",
		},
	} {
		for adapter, process := range conditionalProcesses {
			for option, want := range map[string]string{"on": test.on, "off": test.off} {
				t.Run(name+"/"+adapter+"/"+option, func(t *testing.T) {
					t.Parallel()
					s := startRedis(t)
					var opts []tiercache.Option
					if option == "on" {
						opts = append(opts, tiercache.WithConditionalLoads())
					}
					here, there := process(t, s, opts...), process(t, s)
					step := func(change func(ctx, *stringCache) error) {
						if change != nil {
							assert.NoError(t, change(t.Context(), there))
						}
					}
					load := func(context.Context, string) (string, error) {
						step(test.change)
						return oldValue, test.err
					}
					var read []tiercache.ReadOption
					if test.refresh {
						read = append(read, tiercache.Refresh())
					}
					step(test.before)
					got, err := here.GetOrLoad(t.Context(), key, time.Hour, load, read...)
					require.ErrorIs(t, err, test.err)
					if err == nil {
						assert.Equal(t, oldValue, got, "the caller's")
					}
					for process, c := range map[string]*stringCache{"here": here, "there": there} {
						got, _, err := c.Get(t.Context(), key, tiercache.SkipL1())
						require.NoError(t, err)
						assert.Equal(t, want, got, "L2, %s", process)
					}
					got, _, err = here.Get(t.Context(), key)
					require.NoError(t, err)
					assert.Equal(t, want, got, "L1")
				})
			}
		}
	}
}

// A batch of which another process deletes one key.
func TestConditionalLoads_Batch(t *testing.T) {
	t.Parallel()
	for adapter, process := range conditionalProcesses {
		t.Run(adapter, func(t *testing.T) {
			t.Parallel()
			s := startRedis(t)
			here, there := process(t, s, tiercache.WithConditionalLoads()), process(t, s)
			keys := []string{"a", "b", "c"}
			require.NoError(t, there.DeleteMany(t.Context(), keys[:2])) // so that versions are needed
			_, err := here.GetOrLoadMany(t.Context(), keys, time.Hour, func(ctx context.Context, _ []string) (map[string]string, error) {
				return map[string]string{"a": oldValue, "b": oldValue, "c": oldValue}, there.Delete(ctx, "b")
			})
			require.NoError(t, err)
			for _, c := range []*stringCache{here, there} {
				got, err := c.GetMany(t.Context(), keys)
				require.NoError(t, err)
				assert.Equal(t, []tiercache.Found[string]{{Value: oldValue, OK: true}, {}, {Value: oldValue, OK: true}}, got)
			}
		})
	}
}
