package driver

import (
	"context"
	"errors"
	"time"
	"unsafe"

	cache "github.com/mgtv-tech/jetcache-go"
	jetlocal "github.com/mgtv-tech/jetcache-go/local"
	"github.com/mgtv-tech/jetcache-go/remote"
	"github.com/mgtv-tech/jetcache-go/stats"

	"github.com/tiercache/tiercache/backends"
)

// jetcacheDriver is the library with a local and a remote cache, and an error for
// absent keys, as its documentation composes it. Its statistics, which are logged every
// minute, are off: by a handler that does nothing, because to make the usual one is not
// safe for concurrent use. Over Redis it uses its own adapter.
//
// Its own TinyLFU is the one of its two local caches whose size is a number of
// entries; the other, FreeCache, is one for the whole process.
func jetcacheDriver(name string, ownL1 bool) Driver {
	return Driver{
		Name:     name,
		Module:   "github.com/mgtv-tech/jetcache-go",
		RawRedis: true,
		New: func(cfg Config) (*Cache, error) {
			first, closeL1, err := jetcacheLocal(cfg, ownL1)
			if err != nil {
				return nil, err
			}
			var second remote.Remote = jetcacheRemote{tier: cfg.L2}
			if cfg.Redis != nil {
				second = remote.NewGoRedisV9Adapter(cfg.Redis.Client)
			}
			jet := cache.New(cache.WithName("users"), cache.WithLocal(first), cache.WithRemote(second),
				cache.WithRemoteExpiry(cfg.TTL), cache.WithErrNotFound(errNotFound),
				cache.WithStatsHandler(stats.NewHandles(true)))
			return &Cache{
				Set: func(ctx context.Context, key string, value []byte) error {
					return jet.Set(ctx, key, cache.Value(value), cache.TTL(cfg.TTL))
				},
				SetIfAbsent: func(ctx context.Context, key string, value []byte) error {
					return jet.Set(ctx, key, cache.Value(value), cache.TTL(cfg.TTL), cache.SetNX(true))
				},
				Get: func(ctx context.Context, key string) (value []byte, ok bool, err error) {
					err = jet.Get(ctx, key, &value)
					if errors.Is(err, cache.ErrCacheMiss) {
						return nil, false, nil
					}
					return value, err == nil, err
				},
				Delete: jet.Delete,
				GetOrLoad: func(ctx context.Context, key string) (value []byte, err error) {
					err = jet.Once(ctx, key, cache.Value(&value), cache.TTL(cfg.TTL),
						cache.Do(func(ctx context.Context) (any, error) { return cfg.Load(ctx, key) }))
					return value, err
				},
				Settle:    nothing,
				Telemetry: noTelemetry,
				Close: func() {
					jet.Close()
					closeL1()
				},
			}, nil
		},
	}
}

func jetcacheLocal(cfg Config, ownL1 bool) (l1 jetlocal.Local, closeL1 func(), err error) {
	if ownL1 {
		return jetlocal.NewTinyLFU(cfg.L1Size, cfg.TTL), nothing, nil
	}
	tier, closeL1, err := cfg.l1()
	return local{tier: tier, ttl: cfg.TTL}, closeL1, err
}

// jetcacheRemote is a tier as a remote cache of the library. It copies nothing.
type jetcacheRemote struct{ tier backends.Backend[[]byte] }

var _ remote.Remote = jetcacheRemote{}

// SetEX implements remote.Remote.
func (r jetcacheRemote) SetEX(ctx context.Context, key string, value any, expire time.Duration) error {
	return r.tier.Set(ctx, key, entryOf(value.([]byte), expire))
}

// SetNX implements remote.Remote.
func (r jetcacheRemote) SetNX(ctx context.Context, key string, value any, expire time.Duration) (bool, error) {
	return setIfAbsent(ctx, r.tier, key, value, expire)
}

// SetXX is not used.
func (jetcacheRemote) SetXX(context.Context, string, any, time.Duration) (bool, error) {
	return false, errors.ErrUnsupported
}

// Get implements remote.Remote.
func (r jetcacheRemote) Get(ctx context.Context, key string) (string, error) {
	entry, ok, err := r.tier.Get(ctx, key)
	if err == nil && !ok {
		err = errNotFound
	}
	return asString(entry.Value), err
}

// Del implements remote.Remote.
func (r jetcacheRemote) Del(ctx context.Context, key string) (int64, error) {
	return 1, r.tier.Delete(ctx, key)
}

// MGet is not used.
func (jetcacheRemote) MGet(context.Context, ...string) (map[string]any, error) {
	return nil, errors.ErrUnsupported
}

// MSet is not used.
func (jetcacheRemote) MSet(context.Context, map[string]any, time.Duration) error {
	return errors.ErrUnsupported
}

// Nil implements remote.Remote.
func (jetcacheRemote) Nil() error { return errNotFound }

// setIfAbsent is good enough for a script: it is not atomic.
func setIfAbsent(ctx context.Context, tier backends.Backend[[]byte], key string, value any, ttl time.Duration) (bool, error) {
	if _, ok, err := tier.Get(ctx, key); ok || err != nil {
		return false, err
	}
	return true, tier.Set(ctx, key, entryOf(value.([]byte), ttl))
}

// asString makes bytes that nobody modifies a string without a copy, as the
// libraries that turn it back into bytes do themselves.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
