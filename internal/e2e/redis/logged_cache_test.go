package redis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// loggedCache is a cache as one of several processes has it: an L1 and a client of its
// own, over a Redis whose writes have versions.
type loggedCache[V any] struct {
	*tiercache.Cache[V]
	l1 *otterbackend.Backend[V]
}

func openLoggedCache[V any](client redis.UniversalClient, codec backends.Codec[V], opts ...tiercache.Option) (*loggedCache[V], error) {
	l1, err := otterbackend.New[V]()
	if err != nil {
		return nil, err
	}
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	if err != nil {
		return nil, err
	}
	l2, err := backends.WithCodec(store, codec)
	if err != nil {
		return nil, err
	}
	cache, err := tiercache.New("users", l1, l2, append([]tiercache.Option{tiercache.WithWriteTimeout(patience)}, opts...)...)
	return &loggedCache[V]{cache, l1}, err
}

// close closes all but the client.
func (c *loggedCache[V]) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return errors.Join(c.Close(ctx), c.l1.Close())
}

// newLoggedCache returns one that the end of the test closes.
func newLoggedCache[V any](tb testing.TB, client redis.UniversalClient, codec backends.Codec[V], opts ...tiercache.Option) *tiercache.Cache[V] {
	tb.Helper()
	c, err := openLoggedCache(client, codec, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, c.close(tb.Context())) })
	return c.Cache
}
