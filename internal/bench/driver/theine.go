package driver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/Yiling-J/theine-go"

	"github.com/tiercache/tiercache/backends"
)

// theineDriver is the library's hybrid cache, with its default of two workers for
// evicted entries, and the loading hybrid cache for loads. L1 is the library's own. L2
// is, by its design, where evicted entries go: a Set does not reach it.
func theineDriver() Driver {
	const ownL1 = "its L1 is its own and cannot be given faults"
	const victim = "Set writes L1 only; L2 gets what L1 evicts"
	return Driver{
		Name:   "theine hybrid",
		Module: "github.com/Yiling-J/theine-go",
		Victim: true,
		Lacks: map[Feature]string{
			FakeL1: ownL1, WriteThrough: victim, SetIfAbsent: "it has no set-if-absent",
		},
		New: func(cfg Config) (*Cache, error) {
			second := &theineSecondary{tier: cfg.L2, begun: time.Now()}
			c := &Cache{Settle: nothing, Telemetry: second.telemetry}
			builder := theine.NewBuilder[string, []byte](int64(cfg.L1Size))
			if cfg.Load != nil {
				return c, addTheineLoading(c, builder, second, cfg)
			}
			hybrid, err := builder.Hybrid(second).Build()
			if err != nil {
				return nil, err
			}
			c.Set = func(_ context.Context, key string, value []byte) error {
				return theineSet(hybrid.SetWithTTL(key, value, 1, cfg.TTL))
			}
			c.Get = func(_ context.Context, key string) ([]byte, bool, error) { return hybrid.Get(key) }
			c.Delete = func(_ context.Context, key string) error { return hybrid.Delete(key) }
			c.PeekL1 = func(key string) ([]byte, bool) {
				second.hidden.Store(true)
				defer second.hidden.Store(false)
				value, ok, err := hybrid.Get(key)
				return value, ok && err == nil
			}
			c.EvictL1 = func(key string) bool { return theineEvict(c, key, cfg.L1Size) }
			c.Close = hybrid.Close
			return c, nil
		},
	}
}

func addTheineLoading(c *Cache, builder *theine.Builder[string, []byte], second *theineSecondary, cfg Config) error {
	hybrid, err := builder.Hybrid(second).Loading(
		func(ctx context.Context, key string) (theine.Loaded[[]byte], error) {
			if second.hidden.Load() {
				return theine.Loaded[[]byte]{}, errNotFound
			}
			value, err := cfg.Load(ctx, key)
			return theine.Loaded[[]byte]{Value: value, Cost: 1, TTL: cfg.TTL}, err
		}).Build()
	if err != nil {
		return err
	}
	c.Set = func(_ context.Context, key string, value []byte) error {
		return theineSet(hybrid.SetWithTTL(key, value, 1, cfg.TTL))
	}
	c.GetOrLoad = hybrid.Get
	c.Get = func(ctx context.Context, key string) ([]byte, bool, error) {
		value, err := hybrid.Get(ctx, key)
		return value, err == nil, err
	}
	c.Delete = func(_ context.Context, key string) error { return hybrid.Delete(key) }
	c.PeekL1 = func(key string) ([]byte, bool) {
		second.hidden.Store(true)
		defer second.hidden.Store(false)
		value, err := hybrid.Get(context.Background(), key)
		return value, err == nil
	}
	c.Close = hybrid.Close
	return nil
}

// theineSet makes an error of the library's way to say that it kept nothing.
func theineSet(kept bool) error {
	if !kept {
		return errors.New("not kept")
	}
	return nil
}

// theineEvict sets other keys until the library's policy gives the key up.
func theineEvict(c *Cache, key string, size int) bool {
	const rounds = 200
	ctx := context.Background()
	for range rounds {
		for i := range 4 * size {
			_ = c.Set(ctx, fmt.Sprintf("filler %d", i), []byte("filler"))
		}
		if _, ok := c.PeekL1(key); !ok {
			return true
		}
	}
	return false
}

// theineSecondary is a tier as a secondary cache of the library, which measures
// time from the moment at which the cache was made.
type theineSecondary struct {
	tier   backends.Backend[[]byte]
	begun  time.Time
	hidden atomic.Bool // L2 looks empty, so that a Get shows what L1 has
	failed atomic.Int64
}

// Get implements the library's secondary cache.
func (s *theineSecondary) Get(key string) (value []byte, cost, expire int64, ok bool, err error) {
	if s.hidden.Load() {
		return nil, 0, 0, false, nil
	}
	entry, ok, err := s.tier.Get(context.Background(), key)
	if !ok || err != nil {
		return nil, 0, 0, false, err
	}
	return entry.Value, 1, int64(entry.ExpiresAt.Sub(s.begun)), true, nil
}

// Set implements the library's secondary cache.
func (s *theineSecondary) Set(key string, value []byte, _, expire int64) error {
	return s.tier.Set(context.Background(), key,
		backends.Entry[[]byte]{Value: value, ExpiresAt: s.begun.Add(time.Duration(expire))})
}

// Delete implements the library's secondary cache.
func (s *theineSecondary) Delete(key string) error {
	return s.tier.Delete(context.Background(), key)
}

// HandleAsyncError implements the library's secondary cache.
func (s *theineSecondary) HandleAsyncError(err error) {
	if err != nil {
		s.failed.Add(1)
	}
}

func (s *theineSecondary) telemetry() Telemetry {
	return Telemetry{Errors: int(s.failed.Load())}
}
