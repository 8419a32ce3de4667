package compare

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// store is an L2 that has all keys. There is one for each form in which the libraries
// keep values: as they are, or as sturdyc encodes them; and in Redis, with or without
// the header of tiercache's backend.
type store struct {
	name   string
	plain  driver.Config
	coded  driver.Config
	rawest driver.Config // in Redis only
}

// of returns the part of a Config that is the driver's L2.
func (s *store) of(d driver.Driver) driver.Config {
	switch {
	case s.redis() && d.RawRedis:
		return s.rawest
	case d.Encode != nil:
		return s.coded
	}
	return s.plain
}

func (s *store) redis() bool { return s.plain.Redis != nil }

// newMemory returns an L2 in this process.
func newMemory(ctx context.Context, keys []string, encode func([]byte) []byte) (*store, error) {
	plain, coded := newStripes(), newStripes()
	if err := fill(ctx, plain, keys, value); err != nil {
		return nil, err
	}
	if err := fill(ctx, coded, keys, encode(value)); err != nil {
		return nil, err
	}
	return &store{name: "memory", plain: driver.Config{L2: plain}, coded: driver.Config{L2: coded}}, nil
}

// newRedis returns an L2 in a Redis: a database of it for each form.
func newRedis(ctx context.Context, running *server.Redis, keys []string, encode func([]byte) []byte) (*store, error) {
	s := &store{name: "redis"}
	for db, part := range []*driver.Config{&s.rawest, &s.plain, &s.coded} {
		client := redis.NewClient(&redis.Options{Addr: running.Addr, DB: db})
		backend, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
		if err != nil {
			return nil, err
		}
		*part = driver.Config{L2: backend, Redis: &driver.Redis{Addr: running.Addr, Client: client}}
	}
	if err := fill(ctx, s.plain.L2, keys, value); err != nil {
		return nil, err
	}
	if err := fill(ctx, s.coded.L2, keys, encode(value)); err != nil {
		return nil, err
	}
	return s, fillRaw(ctx, s.rawest.Redis.Client, keys)
}

func fill(ctx context.Context, l2 backends.Backend[[]byte], keys []string, data []byte) error {
	entry := backends.Entry[[]byte]{Value: data, ExpiresAt: time.Now().Add(ttl)}
	for _, key := range keys {
		if err := l2.Set(ctx, key, entry); err != nil {
			return fmt.Errorf("filling L2: %w", err)
		}
	}
	return nil
}

func fillRaw(ctx context.Context, client *redis.Client, keys []string) error {
	const batch = 1000
	for len(keys) > 0 {
		n := min(batch, len(keys))
		pipeline := client.Pipeline()
		for _, key := range keys[:n] {
			pipeline.Set(ctx, key, value, ttl)
		}
		if _, err := pipeline.Exec(ctx); err != nil {
			return fmt.Errorf("filling Redis: %w", err)
		}
		keys = keys[n:]
	}
	return nil
}

// stripes is an L2 of many maps, each with a lock, so that a parallel benchmark does
// not measure the lock of L2.
type stripes struct {
	seed maphash.Seed
	maps [64]*backendtest.Map[[]byte]
}

var _ backends.Backend[[]byte] = (*stripes)(nil)

func newStripes() *stripes {
	s := &stripes{seed: maphash.MakeSeed()}
	for i := range s.maps {
		s.maps[i] = backendtest.NewMap[[]byte]()
	}
	return s
}

func (s *stripes) of(key string) *backendtest.Map[[]byte] {
	return s.maps[maphash.String(s.seed, key)%uint64(len(s.maps))]
}

// Get reads from the key's map.
func (s *stripes) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	return s.of(key).Get(ctx, key)
}

// Set writes to the key's map.
func (s *stripes) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	return s.of(key).Set(ctx, key, entry)
}

// Delete deletes from the key's map.
func (s *stripes) Delete(ctx context.Context, key string) error { return s.of(key).Delete(ctx, key) }

// Describe says that the store is in the process.
func (s *stripes) Describe() backends.Description { return s.maps[0].Describe() }

// counted is an L2 that counts how often it is read.
type counted struct {
	backends.Backend[[]byte]
	gets *atomic.Int64
}

// Get reads and counts.
func (c counted) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	c.gets.Add(1)
	return c.Backend.Get(ctx, key)
}

// Describe returns the description of the store.
func (c counted) Describe() backends.Description { return backends.DescriptionOf(c.Backend) }
