package driver

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// plainRedisDriver is the client without any cache in front: every read asks Redis. It
// is the store that a cache has to be faster than.
func plainRedisDriver() Driver {
	const none = "it has no L1"
	return Driver{
		Name:       "go-redis, no L1",
		Module:     "github.com/redis/go-redis/v9",
		RawRedis:   true,
		NeedsRedis: true,
		Lacks: map[Feature]string{
			FakeL1: none, FakeL2: "its L2 is the server", Load: "without a library there are no loads",
		},
		New: func(cfg Config) (*Cache, error) {
			if cfg.Redis == nil {
				return nil, errors.New("go-redis needs a Redis")
			}
			client := cfg.Redis.Client
			return &Cache{
				Set: func(ctx context.Context, key string, value []byte) error {
					return client.Set(ctx, key, value, cfg.TTL).Err()
				},
				Get: func(ctx context.Context, key string) ([]byte, bool, error) {
					value, err := client.Get(ctx, key).Bytes()
					if errors.Is(err, redis.Nil) {
						return nil, false, nil
					}
					return value, err == nil, err
				},
				SetIfAbsent: func(ctx context.Context, key string, value []byte) error {
					return client.SetNX(ctx, key, value, cfg.TTL).Err()
				},
				Delete:    func(ctx context.Context, key string) error { return client.Del(ctx, key).Err() },
				Settle:    nothing,
				Telemetry: noTelemetry,
				Close:     nothing, // the client is the caller's
			}, nil
		},
	}
}
