package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tier"
)

// newLoggedCache returns a cache as one of several processes has it: an L1 and a client
// of its own, over a Redis whose writes have versions.
func newLoggedCache[V any](tb testing.TB, client redis.UniversalClient, codec backends.Codec[V], opts ...tiercache.Option) *tiercache.Cache[V] {
	tb.Helper()
	l1, err := otterbackend.New[V]()
	require.NoError(tb, err)
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(tb, err)
	l2, err := backends.WithCodec(store, codec)
	require.NoError(tb, err)
	cache, err := tiercache.New("users", l1, l2, append([]tiercache.Option{tiercache.WithWriteTimeout(patience)}, opts...)...)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
		defer cancel()
		assert.NoError(tb, cache.Close(ctx))
		assert.NoError(tb, l1.Close())
	})
	return cache
}

// casRecorder notes the calls of several processes, and is safe for concurrent use. Its
// clock only counts.
type casRecorder struct {
	clock, values atomic.Int64

	mu      sync.Mutex
	history []porcupine.Operation
	unknown int // calls whose outcome nobody was told
}

// value returns one that was never returned before.
func (r *casRecorder) value() string { return fmt.Sprint("v", r.values.Add(1)) }

// do makes a call, and notes its step. A call that certainly changed nothing is not noted.
func (r *casRecorder) do(t *testing.T, client int, call func() (casStep, error)) {
	begin := r.clock.Add(1)
	s, err := call()
	end := r.clock.Add(1)
	if err != nil {
		var e *tier.WriteError
		if !errors.As(err, &e) {
			return // it was not written
		}
		switch e.L2.Outcome {
		case tier.Unknown:
			s.maybe, end = true, never
		case tier.Applied: // L1 has failed
			assert.NoError(t, err)
		default:
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.maybe {
		r.unknown++
	}
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: s, Call: begin, Return: end})
}

// casClient makes calls of one process.
type casClient struct {
	*casRecorder
	cache *tiercache.Cache[string]
	id    int
}

func (c *casClient) set(t *testing.T, key string) {
	value := c.value()
	c.do(t, c.id, func() (casStep, error) {
		return casStep{key: key, to: value, any: true}, c.cache.Set(t.Context(), key, value, 0)
	})
}

func (c *casClient) remove(t *testing.T, key string) {
	c.do(t, c.id, func() (casStep, error) {
		return casStep{key: key, any: true}, c.cache.Delete(t.Context(), key)
	})
}

func (c *casClient) setIfAbsent(t *testing.T, key string) {
	value := c.value()
	c.do(t, c.id, func() (casStep, error) {
		won, stored, err := c.cache.SetIfAbsent(t.Context(), key, value, 0)
		if err == nil && !stored {
			return casStep{key: key, from: won.Value, refused: true}, nil
		}
		return casStep{key: key, to: value}, err
	})
}

func (c *casClient) update(t *testing.T, key string) {
	value := c.value()
	c.do(t, c.id, func() (casStep, error) {
		s := casStep{key: key, to: value}
		_, err := c.cache.Update(t.Context(), key, 0, func(old string, _ bool) (string, error) {
			s.from = old
			return value, nil
		})
		return s, err
	})
}

// get asks L2, because L1 of one process does not follow the writes of another here.
func (c *casClient) get(t *testing.T, key string) {
	c.do(t, c.id, func() (casStep, error) {
		value, _, err := c.cache.Get(t.Context(), key, tiercache.SkipL1())
		return casStep{key: key, from: value, to: value}, err
	})
}

// casAttempts is how often a call of a client may be made again by itself: by go-redis
// never, and by the backend where nothing was executed.
const casAttempts = 2

// casProcess returns a client through a proxy of its own.
func casProcess(t *testing.T, addr string, change func(o *redis.Options)) *tiercache.Cache[string] {
	t.Helper()
	o := clientOptions(addr)
	o.MaxRetries, o.MaxRetryBackoff, o.DialTimeout = casAttempts, 10*time.Millisecond, patience
	if change != nil {
		change(o)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return newLoggedCache(t, client, backends.String())
}
