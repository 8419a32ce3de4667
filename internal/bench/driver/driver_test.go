package driver_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

const (
	key   = "user:4711"
	value = "value"

	rueidis = "github.com/redis/rueidis"
)

func memory(*testing.T) driver.Config {
	return driver.Config{L2: backendtest.NewMap[[]byte](), L1Size: 100, TTL: time.Hour}
}

func TestOverMemory(t *testing.T) {
	t.Parallel()
	for _, d := range drivers() {
		if !d.NeedsRedis {
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				testDriver(t, d, memory)
			})
		}
	}
}

func TestOverRedis(t *testing.T) {
	t.Parallel()
	running, err := server.StartRedis(t.Context(), "--databases", "32")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(running.Stop)
	for i, d := range drivers() { // each with a database; 0 is that of rueidis
		client := redis.NewClient(&redis.Options{Addr: running.Addr, DB: i + 1})
		if d.Module == rueidis {
			client = running.Admin
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			testDriver(t, d, func(t *testing.T) driver.Config {
				t.Helper()
				l2, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
				require.NoError(t, err)
				cfg := memory(t)
				cfg.L2, cfg.Redis = l2, &driver.Redis{Addr: running.Addr, Client: client}
				return cfg
			})
		})
	}
}

// drivers returns those of all lists, each once.
func drivers() []driver.Driver {
	all := driver.ForBenchmarks()
	for _, d := range slices.Concat(driver.ForMatrix(), driver.ForRecords()) {
		if !slices.ContainsFunc(all, func(o driver.Driver) bool { return o.Name == d.Name }) {
			all = append(all, d)
		}
	}
	return all
}

// testDriver checks that what a driver offers works, and that it gives a reason
// for what it does not offer.
func testDriver(t *testing.T, d driver.Driver, config func(*testing.T) driver.Config) {
	t.Helper()
	ctx := t.Context()
	cfg := config(t)
	c, err := d.New(cfg)
	require.NoError(t, err)
	defer c.Close()

	require.NoError(t, c.Set(ctx, key, []byte(value)))
	for range 2 {
		assertValue(t, value, c, key)
	}
	require.NoError(t, c.Delete(ctx, key))
	assertNone(t, c, key, d.Module == rueidis)
	assert.Zero(t, c.Telemetry())

	// What only L2 has is found, and then L1 has it too.
	require.NoError(t, stored(ctx, d, cfg, "only in L2"))
	for range 2 {
		assertValue(t, value, c, "only in L2")
	}
	c.Settle()
	if c.PeekL1 != nil {
		got, ok := c.PeekL1("only in L2")
		assert.True(t, ok)
		assert.Equal(t, value, string(got))
	}
	assert.Equal(t, d.Lacks[driver.SetIfAbsent] == "", c.SetIfAbsent != nil || d.NeedsRedis)
	if d.Lacks[driver.Load] == "" {
		testLoad(t, d, config(t))
	} else {
		assert.Nil(t, c.GetOrLoad)
	}
}

func testLoad(t *testing.T, d driver.Driver, cfg driver.Config) {
	t.Helper()
	loads := 0
	cfg.Load = func(context.Context, string) ([]byte, error) {
		loads++
		return []byte(value), nil
	}
	c, err := d.New(cfg)
	require.NoError(t, err)
	defer c.Close()
	for range 3 {
		got, err := c.GetOrLoad(t.Context(), "loaded")
		require.NoError(t, err)
		assert.Equal(t, value, string(got))
	}
	assert.Equal(t, 1, loads)
}

// stored puts a value into L2 as the driver's library would.
func stored(ctx context.Context, d driver.Driver, cfg driver.Config, key string) error {
	if cfg.Redis != nil && d.RawRedis {
		return cfg.Redis.Client.Set(ctx, key, value, time.Hour).Err()
	}
	data := []byte(value)
	if d.Encode != nil {
		data = d.Encode(data)
	}
	return cfg.L2.Set(ctx, key, backends.Entry[[]byte]{Value: data, ExpiresAt: time.Now().Add(time.Hour)})
}

func assertValue(t *testing.T, want string, c *driver.Cache, key string) {
	t.Helper()
	got, ok, err := c.Get(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, want, string(got))
}

// assertNone gives a client that has to be told by its server what has changed
// some time to hear it.
func assertNone(t *testing.T, c *driver.Cache, key string, told bool) {
	t.Helper()
	gone := func() bool {
		_, ok, err := c.Get(t.Context(), key)
		return !ok && err == nil
	}
	if told {
		assert.Eventually(t, gone, 10*time.Second, time.Millisecond)
		return
	}
	assert.True(t, gone())
}
