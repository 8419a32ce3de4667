package redis_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

const (
	adders    = 4
	additions = 10_000 // of each
)

// Processes that each add 1 by Update lose no addition.
func TestCAS_Count(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	var wg sync.WaitGroup
	for range adders {
		wg.Go(func() {
			adder, err := command(t.Context(), "adder", adderSetting{s.Addr, additions})
			if assert.NoError(t, err) {
				output, err := adder.CombinedOutput()
				assert.NoError(t, err, string(output))
			}
		})
	}
	wg.Wait()
	cache := newLoggedCache(t, clientOf(t, s.Addr), backends.JSON[int]())
	sum, ok, err := cache.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, adders*additions, sum)
}

func clientOf(tb testing.TB, addr string) *redis.Client {
	tb.Helper()
	client := redis.NewClient(clientOptions(addr))
	tb.Cleanup(func() { assert.NoError(tb, client.Close()) })
	return client
}

type adderSetting struct {
	Addr  string
	Times int
}

// runAdder is the program of a process that adds 1 again and again.
func runAdder(ctx context.Context, setting []byte) (err error) {
	var s adderSetting
	if err := json.Unmarshal(setting, &s); err != nil {
		return err
	}
	client := redis.NewClient(clientOptions(s.Addr))
	defer func() { err = errors.Join(err, client.Close()) }()
	cache, err := openLoggedCache(client, backends.JSON[int]())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cache.close(ctx)) }()
	for range s.Times {
		_, err := cache.Update(ctx, key, 0, func(old int, _ bool) (int, error) { return old + 1, nil })
		if err != nil {
			return err
		}
	}
	return nil
}
