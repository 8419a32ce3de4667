package driver

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// rueidisEntry is about the size that the client's cache counts for an entry beside its
// value: the key and its own bookkeeping.
const rueidisEntry = 404

// usualValue is the size of a value if the Config says none.
const usualValue = 256

// rueidisConns is how many connections the client has, each with a cache. It is
// given as a power of two: 1 is the default on two processors.
const (
	rueidisMultiplex = 1
	rueidisConns     = 1 << rueidisMultiplex
)

// rueidisFlushDelay is how long each client of rueidis collects the commands of its
// callers, unless there is a single one: the client's option for throughput.
const rueidisFlushDelay = 20 * time.Microsecond

// rueidisDriver is the client's own cache: reads fill it, and Redis tells the client
// which keys have changed, so that writes go to Redis only.
func rueidisDriver() Driver {
	const client = "both tiers are the client and its server: neither can be given faults"
	return Driver{
		Name:       "rueidis DoCache",
		Module:     "github.com/redis/rueidis",
		RawRedis:   true,
		NeedsRedis: true,
		Lacks: map[Feature]string{
			FakeL1: client, FakeL2: client,
			Load: "DoCache has no loads; the module rueidisaside adds them",
		},
		New: func(cfg Config) (*Cache, error) {
			if cfg.Redis == nil {
				return nil, errors.New("rueidis needs a Redis")
			}
			entry := rueidisEntry + cmp.Or(cfg.ValueSize, usualValue)
			c, err := rueidis.NewClient(rueidis.ClientOption{
				InitAddress:       []string{cfg.Redis.Addr},
				CacheSizeEachConn: cfg.L1Size * entry / rueidisConns,
				PipelineMultiplex: rueidisMultiplex,
				MaxFlushDelay:     rueidisFlushDelay,
			})
			if err != nil {
				return nil, err
			}
			return rueidisCache(c, cfg.TTL), nil
		},
	}
}

func rueidisCache(c rueidis.Client, ttl time.Duration) *Cache {
	return &Cache{
		Set: func(ctx context.Context, key string, value []byte) error {
			return c.Do(ctx, c.B().Set().Key(key).Value(rueidis.BinaryString(value)).Px(ttl).Build()).Error()
		},
		Get: func(ctx context.Context, key string) ([]byte, bool, error) {
			value, err := c.DoCache(ctx, c.B().Get().Key(key).Cache(), ttl).AsBytes()
			if rueidis.IsRedisNil(err) {
				return nil, false, nil
			}
			return value, err == nil, err
		},
		Delete: func(ctx context.Context, key string) error {
			return c.Do(ctx, c.B().Del().Key(key).Build()).Error()
		},
		Settle:    nothing,
		Telemetry: noTelemetry,
		Close:     c.Close,
	}
}
