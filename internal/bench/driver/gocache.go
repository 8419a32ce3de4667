package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/store"

	"github.com/tiercache/tiercache/backends"
)

// gocacheDriver is a chain of two caches, with a loadable cache in front for
// loads, as the library's documentation composes them. A refill, and the write
// of a loaded value, are done by the library in the background.
//
// Over Redis it reads value and remaining TTL in one round trip, as tiercache's driver
// does; the library's own store for Redis takes two.
func gocacheDriver() Driver {
	return Driver{
		Name:   "gocache chain",
		Module: "github.com/eko/gocache/lib/v4",
		Lacks:  map[Feature]string{SetIfAbsent: "it has no set-if-absent"},
		New: func(cfg Config) (*Cache, error) {
			l1, closeL1, err := cfg.l1()
			if err != nil {
				return nil, err
			}
			first := &gocacheStore{name: "l1", tier: l1, ttl: cfg.TTL}
			second := &gocacheStore{name: "l2", tier: cfg.L2, ttl: cfg.TTL}
			caches := []cache.SetterCacheInterface[[]byte]{cache.New[[]byte](first), cache.New[[]byte](second)}
			chain := cache.NewChain(caches...)
			c := &Cache{
				Set: func(ctx context.Context, key string, value []byte) error {
					return chain.Set(ctx, key, value, store.WithExpiration(cfg.TTL))
				},
				Get: func(ctx context.Context, key string) ([]byte, bool, error) {
					value, err := chain.Get(ctx, key)
					return gocacheAnswer(value, err)
				},
				Delete:    func(ctx context.Context, key string) error { return chain.Delete(ctx, key) },
				Settle:    func() { settleGocache(chain, first, cfg.L2) },
				Telemetry: func() Telemetry { return gocacheErrors(caches) },
				Close:     closeL1, // the chain's goroutine cannot be ended
			}
			if cfg.Load != nil {
				addGocacheLoads(c, chain, cfg)
			}
			return c, nil
		},
	}
}

func addGocacheLoads(c *Cache, chain *cache.ChainCache[[]byte], cfg Config) {
	loadable := cache.NewLoadable(func(ctx context.Context, key any) ([]byte, []store.Option, error) {
		value, err := cfg.Load(ctx, key.(string))
		return value, []store.Option{store.WithExpiration(cfg.TTL)}, err
	}, chain)
	c.GetOrLoad = func(ctx context.Context, key string) ([]byte, error) { return loadable.Get(ctx, key) }
	closed := sync.OnceFunc(func() { _ = loadable.Close() })
	// Close is the library's way to wait for the writes of loaded values.
	settle, closeCache := c.Settle, c.Close
	c.Settle = func() { closed(); settle() }
	c.Close = func() { closed(); closeCache() }
}

// gocacheAnswer tells a miss from an error.
func gocacheAnswer(value []byte, err error) ([]byte, bool, error) {
	if errors.Is(err, errNotFound) {
		return nil, false, nil
	}
	return value, err == nil, err
}

var errNotFound = errors.New("not found")

// settleGocache waits for the refills, which are done in order: one of a probe
// comes after all others.
func settleGocache(chain *cache.ChainCache[[]byte], first *gocacheStore, l2 backends.Backend[[]byte]) {
	probe := fmt.Sprintf("probe %p", first)
	seen := first.watch(probe)
	ctx := context.Background()
	_ = l2.Set(ctx, probe, entryOf([]byte("probe"), time.Minute))
	if _, err := chain.Get(ctx, probe); err == nil {
		<-seen
	}
}

// gocacheErrors reads the counters that the library keeps for every store, and
// which it can export to Prometheus.
func gocacheErrors(caches []cache.SetterCacheInterface[[]byte]) Telemetry {
	n := 0
	for _, c := range caches {
		stats := c.GetCodec().GetStats()
		n += stats.SetError + stats.DeleteError
	}
	return Telemetry{Errors: n}
}

// gocacheStore is a tier as a store of the library.
type gocacheStore struct {
	name string
	tier backends.Backend[[]byte]
	ttl  time.Duration

	watched atomic.Pointer[watch]
}

// watch is for the Set of one key.
type watch struct {
	key  string
	seen chan struct{}
}

var _ store.StoreInterface = (*gocacheStore)(nil)

// watch returns a channel that is closed when the key has been set.
func (s *gocacheStore) watch(key string) <-chan struct{} {
	w := &watch{key: key, seen: make(chan struct{})}
	s.watched.Store(w)
	return w.seen
}

// Get implements store.StoreInterface.
func (s *gocacheStore) Get(ctx context.Context, key any) (any, error) {
	value, _, err := s.GetWithTTL(ctx, key)
	return value, err
}

// GetWithTTL implements store.StoreInterface.
func (s *gocacheStore) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	entry, ok, err := s.tier.Get(ctx, key.(string))
	switch {
	case err != nil:
		return nil, 0, err
	case !ok:
		return nil, 0, store.NotFoundWithCause(errNotFound)
	}
	return entry.Value, remaining(entry), nil
}

// Set implements store.StoreInterface.
func (s *gocacheStore) Set(ctx context.Context, key, value any, options ...store.Option) error {
	opts := store.ApplyOptions(options...)
	err := s.tier.Set(ctx, key.(string), entryOf(value.([]byte), opts.Expiration))
	if w := s.watched.Load(); w != nil && w.key == key && s.watched.CompareAndSwap(w, nil) {
		close(w.seen)
	}
	return err
}

// Delete implements store.StoreInterface.
func (s *gocacheStore) Delete(ctx context.Context, key any) error {
	return s.tier.Delete(ctx, key.(string))
}

// Invalidate implements store.StoreInterface.
func (*gocacheStore) Invalidate(context.Context, ...store.InvalidateOption) error { return nil }

// Clear implements store.StoreInterface.
func (*gocacheStore) Clear(context.Context) error { return nil }

// GetType implements store.StoreInterface.
func (s *gocacheStore) GetType() string { return s.name }
