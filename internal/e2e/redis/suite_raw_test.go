package redis_test

import (
	"context"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// rawPrecision is how exact the server's clock is: it counts milliseconds.
const rawPrecision = 10 * time.Millisecond

// rawStore allows for the trips to the server, however long they take on a busy machine. The TTL
// of a raw value begins when Redis executes the SET, so the value expires later by as much as
// that took, and is taken to expire earlier by as much as its GET takes. The suite wants expiries
// to the millisecond, which is a promise of values with a header.
type rawStore struct {
	rawBackend
	mu    sync.Mutex
	trips map[string][]*trip // by key, of values that expire
}

// trip is that of a value that expires at end.
type trip struct {
	end, begun, ended time.Time // ended is zero while it is under way
}

// rawBackend is either adapter to Redis.
type rawBackend interface { //nolint:interfacebloat // all that the adapters can
	backends.Backend[[]byte]
	backends.Stager[[]byte]
	backends.Batcher[[]byte]
	backends.Describer
}

func newRawStore(b rawBackend) *rawStore {
	return &rawStore{rawBackend: b, trips: make(map[string][]*trip)}
}

func (s *rawStore) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	begin := time.Now()
	entry, ok, err = s.rawBackend.Get(ctx, key)
	took := time.Since(begin)
	if !ok || entry.ExpiresAt.IsZero() {
		return entry, ok, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.trips[key] {
		if t.explains(entry.ExpiresAt, took) {
			entry.ExpiresAt = t.end
		}
	}
	return entry, ok, err
}

// explains reports whether a GET that took so long may have found this expiry after the trip.
func (t *trip) explains(expiresAt time.Time, took time.Duration) bool {
	ended := t.ended
	if ended.IsZero() {
		ended = time.Now()
	}
	earliest, latest := t.end.Add(-took-rawPrecision), t.end.Add(ended.Sub(t.begun)+rawPrecision)
	return !expiresAt.Before(earliest) && !expiresAt.After(latest)
}

func (s *rawStore) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	end := s.begin(key, entry)
	defer end()
	return s.rawBackend.Set(ctx, key, entry)
}

func (s *rawStore) Stage(ctx context.Context, key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	end := s.begin(key, entry)
	staged, err := s.rawBackend.Stage(ctx, key, entry)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer end()
		return staged(ctx)
	}, nil
}

// begin begins the trip of an entry, and returns the function that ends it.
func (s *rawStore) begin(key string, entry backends.Entry[[]byte]) (end func()) {
	if entry.ExpiresAt.IsZero() {
		return func() {}
	}
	t := &trip{end: entry.ExpiresAt, begun: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trips[key] = append(s.trips[key], t)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.ended = time.Now()
	}
}

// precisionOf is that of a format. The reader's clock ends values with a header, to the instant.
func precisionOf(format string) time.Duration {
	if format == "raw" {
		return rawPrecision
	}
	return 0
}
