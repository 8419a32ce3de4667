// Package stores makes the L2 of measurements, filled with records, in the process or in
// a Redis.
package stores

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// Records are those that a store has.
type Records struct {
	Keys  []string
	Value func(i int) []byte // of the key with that index
	TTL   time.Duration
}

// Store is an L2 that has all records. There is one for each form in which the libraries
// keep values: as they are, or as sturdyc encodes them; and in Redis, with or without
// the header of tiercache's backend.
type Store struct {
	Name   string
	plain  driver.Config
	coded  driver.Config
	rawest driver.Config // in Redis only
}

// For returns the part of a Config that is the driver's L2. It must be one of the
// drivers for which the store was made.
func (s *Store) For(d driver.Driver) driver.Config {
	switch {
	case s.Redis() && d.RawRedis:
		return s.rawest
	case d.Encode != nil:
		return s.coded
	}
	return s.plain
}

// Redis reports whether the store is a Redis.
func (s *Store) Redis() bool { return s.Name == inRedis }

const (
	inMemory = "memory"
	inRedis  = "redis"
)

// NewMemory returns an L2 in this process.
func NewMemory(ctx context.Context, drivers []driver.Driver, r Records) (*Store, error) {
	s := &Store{
		Name:  inMemory,
		plain: driver.Config{L2: NewStripes()}, coded: driver.Config{L2: NewStripes()},
	}
	if err := s.fill(ctx, drivers, r); err != nil {
		return nil, err
	}
	return s, nil
}

// NewRedis returns an L2 in a Redis: a database of it for each form.
func NewRedis(ctx context.Context, running *server.Redis, drivers []driver.Driver, r Records) (*Store, error) {
	s := &Store{Name: inRedis}
	for db, part := range []*driver.Config{&s.rawest, &s.plain, &s.coded} {
		client := redis.NewClient(&redis.Options{Addr: running.Addr, DB: db})
		backend, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
		if err != nil {
			return nil, err
		}
		*part = driver.Config{L2: backend, Redis: &driver.Redis{Addr: running.Addr, Client: client}}
	}
	if err := s.fill(ctx, drivers, r); err != nil {
		return nil, err
	}
	return s, nil
}

// fill stores the records in the forms that the drivers need.
func (s *Store) fill(ctx context.Context, drivers []driver.Driver, r Records) error {
	raw := func(d driver.Driver) bool { return s.Redis() && d.RawRedis }
	coded := slices.IndexFunc(drivers, func(d driver.Driver) bool { return d.Encode != nil && !raw(d) })
	if coded >= 0 {
		encoded := r
		encoded.Value = func(i int) []byte { return drivers[coded].Encode(r.Value(i)) }
		if err := fill(ctx, s.coded.L2, encoded); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(drivers, raw) {
		if err := fillRaw(ctx, s.rawest.Redis.Client, r); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(drivers, func(d driver.Driver) bool { return d.Encode == nil && !raw(d) }) {
		return fill(ctx, s.plain.L2, r)
	}
	return nil
}

func fill(ctx context.Context, l2 backends.Backend[[]byte], r Records) error {
	expires := time.Now().Add(r.TTL)
	for i, key := range r.Keys {
		if err := l2.Set(ctx, key, backends.Entry[[]byte]{Value: r.Value(i), ExpiresAt: expires}); err != nil {
			return fmt.Errorf("filling L2: %w", err)
		}
	}
	return nil
}

func fillRaw(ctx context.Context, client *redis.Client, r Records) error {
	const batch = 1000
	for from := 0; from < len(r.Keys); from += batch {
		pipeline := client.Pipeline()
		for i := from; i < min(from+batch, len(r.Keys)); i++ {
			pipeline.Set(ctx, r.Keys[i], r.Value(i), r.TTL)
		}
		if _, err := pipeline.Exec(ctx); err != nil {
			return fmt.Errorf("filling Redis: %w", err)
		}
	}
	return nil
}

// Forget removes keys from the driver's L2.
func (s *Store) Forget(ctx context.Context, d driver.Driver, keys []string) error {
	cfg := s.For(d)
	if cfg.Redis != nil {
		if len(keys) == 0 {
			return nil
		}
		return cfg.Redis.Client.Unlink(ctx, keys...).Err()
	}
	for _, key := range keys {
		if err := cfg.L2.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
