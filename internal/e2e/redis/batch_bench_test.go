package redis_test

import (
	"context"
	"iter"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

const benchKeys = 100

// forgetful is an L1 that takes all entries and finds none.
type forgetful struct{ *backendtest.Map[[]byte] }

func (forgetful) Get(context.Context, string) (none backends.Entry[[]byte], ok bool, err error) {
	return none, false, nil
}

func (forgetful) GetValue(context.Context, string) (value []byte, ok bool, err error) {
	return nil, false, nil
}

func keysOf(prefix string) (keys []string) {
	for i := range benchKeys {
		keys = append(keys, prefix+strconv.Itoa(i))
	}
	return keys
}

func entriesOf(keys []string) iter.Seq2[string, []byte] {
	return func(yield func(key string, value []byte) bool) {
		for _, key := range keys {
			if !yield(key, benchValue) {
				return
			}
		}
	}
}

// kinds are the two kinds of values that a batch may have to do with.
var kinds = map[string][]redisbackend.Option{"plain": nil, "log": {redisbackend.WithLog()}}

// GetMany of keys that only L2 has, against MGET with the same refills of a map.
func BenchmarkRedisGetMany(b *testing.B) {
	client := newClient(b)
	for name, opts := range kinds {
		b.Run("kind="+name, func(b *testing.B) {
			cache := newBareCache(b, forgetful{backendtest.NewMap[[]byte]()}, client, opts...)
			keys, handKeys := keysOf("user:"), keysOf("hand:")
			require.NoError(b, cache.SetMany(b.Context(), entriesOf(keys), benchTTL))
			for _, key := range handKeys {
				require.NoError(b, client.Set(b.Context(), key, benchValue, benchTTL).Err())
			}
			l1 := forgetful{backendtest.NewMap[[]byte]()}
			p := &pair{turns: slowTurns, turn: slowTurn, works: [2]func(ctx context.Context) error{
				func(ctx context.Context) error { return getByHand(ctx, l1, client, handKeys) },
				func(ctx context.Context) error {
					found, err := cache.GetMany(ctx, keys)
					if err == nil && !found[benchKeys-1].OK {
						return errMiss
					}
					return err
				},
			}}
			p.run(b, [2]string{"by_hand", "tiercache"})
		})
	}
}

// getByHand asks L1 for each key and Redis for all others at once.
func getByHand(ctx context.Context, l1 backends.Backend[[]byte], client *redis.Client, keys []string) error {
	values, missing := make([][]byte, len(keys)), make([]int, 0, len(keys))
	ask := make([]string, 0, len(keys))
	for i, key := range keys {
		entry, ok, err := l1.Get(ctx, key)
		if err != nil {
			return err
		}
		if !ok {
			missing, ask = append(missing, i), append(ask, key)
		}
		values[i] = entry.Value
	}
	got, err := client.MGet(ctx, ask...).Result()
	if err != nil {
		return err
	}
	for n, i := range missing {
		text, ok := got[n].(string)
		if !ok {
			return errMiss
		}
		values[i] = []byte(text)
		if err := l1.Set(ctx, keys[i], entryOf(values[i], benchTTL)); err != nil {
			return err
		}
	}
	return nil
}

// SetMany, against as many Sets.
func BenchmarkRedisSetMany(b *testing.B) {
	client := newClient(b)
	for name, opts := range kinds {
		b.Run("kind="+name, func(b *testing.B) {
			cache := newBareCache(b, backendtest.NewMap[[]byte](), client, opts...)
			keys := keysOf("user:")
			p := &pair{turns: slowTurns, turn: slowTurn, works: [2]func(ctx context.Context) error{
				func(ctx context.Context) error {
					for _, key := range keys {
						if err := cache.Set(ctx, key, benchValue, benchTTL); err != nil {
							return err
						}
					}
					return nil
				},
				func(ctx context.Context) error { return cache.SetMany(ctx, entriesOf(keys), benchTTL) },
			}}
			p.run(b, [2]string{"one_by_one", "tiercache"})
		})
	}
}
