package driver

import (
	"context"
	"errors"
	"time"

	"github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
)

// goRedisCacheDriver is the library with a local cache and Redis, as its
// documentation composes it. Values that are bytes are neither encoded nor
// compressed. Over Redis it uses the client itself.
//
// Its own TinyLFU is the local cache that its documentation recommends.
func goRedisCacheDriver(name string, ownL1 bool) Driver {
	return Driver{
		Name:     name,
		Module:   "github.com/go-redis/cache/v9",
		RawRedis: true,
		New: func(cfg Config) (*Cache, error) {
			opts := &cache.Options{Redis: goRedisTier{tier: cfg.L2}}
			if cfg.Redis != nil {
				opts.Redis = cfg.Redis.Client
			}
			closeL1 := nothing
			if ownL1 {
				opts.LocalCache = cache.NewTinyLFU(cfg.L1Size, cfg.TTL)
			} else {
				tier, closeTier, err := cfg.l1()
				if err != nil {
					return nil, err
				}
				opts.LocalCache, closeL1 = local{tier: tier, ttl: cfg.TTL}, closeTier
			}
			c := cache.New(opts)
			return &Cache{
				Set: func(ctx context.Context, key string, value []byte) error {
					return c.Set(&cache.Item{Ctx: ctx, Key: key, Value: value, TTL: cfg.TTL})
				},
				SetIfAbsent: func(ctx context.Context, key string, value []byte) error {
					return c.Set(&cache.Item{Ctx: ctx, Key: key, Value: value, TTL: cfg.TTL, SetNX: true})
				},
				Get: func(ctx context.Context, key string) (value []byte, ok bool, err error) {
					err = c.Get(ctx, key, &value)
					if errors.Is(err, cache.ErrCacheMiss) {
						return nil, false, nil
					}
					return value, err == nil, err
				},
				Delete: c.Delete,
				GetOrLoad: func(ctx context.Context, key string) (value []byte, err error) {
					err = c.Once(&cache.Item{
						Ctx: ctx, Key: key, Value: &value, TTL: cfg.TTL,
						Do: func(item *cache.Item) (any, error) { //nolint:contextcheck // it is the item's
							return cfg.Load(item.Context(), key)
						},
					})
					return value, err
				},
				Settle:    nothing,
				Telemetry: noTelemetry,
				Close:     closeL1,
			}, nil
		},
	}
}

// goRedisTier is a tier as the commands of Redis that the library uses.
type goRedisTier struct{ tier backends.Backend[[]byte] }

// Set is the command SET.
func (t goRedisTier) Set(ctx context.Context, key string, value any, ttl time.Duration) *redis.StatusCmd {
	return redis.NewStatusResult("OK", t.tier.Set(ctx, key, entryOf(value.([]byte), ttl)))
}

// SetXX is not used.
func (goRedisTier) SetXX(context.Context, string, any, time.Duration) *redis.BoolCmd {
	return redis.NewBoolResult(false, errors.ErrUnsupported)
}

// SetNX is the command SET with NX.
func (t goRedisTier) SetNX(ctx context.Context, key string, value any, ttl time.Duration) *redis.BoolCmd {
	return redis.NewBoolResult(setIfAbsent(ctx, t.tier, key, value, ttl))
}

// Get is the command GET.
func (t goRedisTier) Get(ctx context.Context, key string) *redis.StringCmd {
	entry, ok, err := t.tier.Get(ctx, key)
	if err == nil && !ok {
		err = redis.Nil
	}
	return redis.NewStringResult(asString(entry.Value), err)
}

// Del is the command DEL.
func (t goRedisTier) Del(ctx context.Context, keys ...string) *redis.IntCmd {
	return redis.NewIntResult(int64(len(keys)), t.tier.Delete(ctx, keys[0]))
}
