package redis_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// The environment of a process that only adds, and the one that chooses how often each
// process of TestCAS_Count does.
const (
	adderEnv  = "TIERCACHE_E2E_ADDER"
	updateEnv = "TIERCACHE_UPDATES"
)

const adders = 4

// additions is how often each process adds 1: all of them together 10,000 times, unless
// the environment says how often each.
func additions(t *testing.T) int {
	t.Helper()
	text := os.Getenv(updateEnv)
	if text == "" {
		return 10_000 / adders
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, updateEnv)
	require.Positive(t, n, updateEnv)
	return n
}

// Processes that each add 1 by Update lose no addition.
func TestCAS_Count(t *testing.T) {
	t.Parallel()
	s, each := startRedis(t), additions(t)
	var wg sync.WaitGroup
	for range adders {
		wg.Go(func() {
			adder := exec.CommandContext(t.Context(), os.Args[0], strconv.Itoa(each)) //nolint:gosec // this program
			adder.Env = append(os.Environ(), adderEnv+"="+s.Addr)
			output, err := adder.CombinedOutput()
			assert.NoError(t, err, string(output))
		})
	}
	wg.Wait()
	cache := newLoggedCache(t, clientOf(t, s.Addr), backends.JSON[int]())
	sum, ok, err := cache.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, adders*each, sum)
}

func clientOf(tb testing.TB, addr string) *redis.Client {
	tb.Helper()
	client := redis.NewClient(clientOptions(addr))
	tb.Cleanup(func() { assert.NoError(tb, client.Close()) })
	return client
}

// add is the program of a process that adds 1 again and again.
func add(ctx context.Context, addr string, times []string) (err error) {
	if len(times) != 1 {
		return fmt.Errorf("%d arguments: it takes one", len(times))
	}
	n, err := strconv.Atoi(times[0])
	if err != nil {
		return err
	}
	client := redis.NewClient(clientOptions(addr))
	defer func() { _ = client.Close() }()
	l1, err := otterbackend.New[int]()
	if err != nil {
		return err
	}
	defer func() { _ = l1.Close() }()
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	if err != nil {
		return err
	}
	l2, err := backends.WithCodec(store, backends.JSON[int]())
	if err != nil {
		return err
	}
	cache, err := tiercache.New("users", l1, l2)
	if err != nil {
		return err
	}
	defer func() { _ = cache.Close(ctx) }()
	for range n {
		_, err := cache.Update(ctx, key, 0, func(old int, _ bool) (int, error) { return old + 1, nil })
		if err != nil {
			return err
		}
	}
	return nil
}
