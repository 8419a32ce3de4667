package stores

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// Stripes is an L2 of many maps, each with a lock, so that a parallel benchmark does
// not measure the lock of L2.
type Stripes struct {
	seed maphash.Seed
	maps [64]*backendtest.Map[[]byte]
}

var _ backends.Backend[[]byte] = (*Stripes)(nil)

// NewStripes returns an empty L2.
func NewStripes() *Stripes {
	s := &Stripes{seed: maphash.MakeSeed()}
	for i := range s.maps {
		s.maps[i] = backendtest.NewMap[[]byte]()
	}
	return s
}

func (s *Stripes) of(key string) *backendtest.Map[[]byte] {
	return s.maps[maphash.String(s.seed, key)%uint64(len(s.maps))]
}

// Get reads from the key's map.
func (s *Stripes) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	return s.of(key).Get(ctx, key)
}

// Set writes to the key's map.
func (s *Stripes) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	return s.of(key).Set(ctx, key, entry)
}

// Delete deletes from the key's map.
func (s *Stripes) Delete(ctx context.Context, key string) error { return s.of(key).Delete(ctx, key) }

// Describe says that the store is in the process.
func (s *Stripes) Describe() backends.Description { return s.maps[0].Describe() }

// Counted is an L2 that counts how often it is read.
type Counted struct {
	backends.Backend[[]byte]
	Gets *atomic.Int64
}

// Get reads and counts.
func (c Counted) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	c.Gets.Add(1)
	return c.Backend.Get(ctx, key)
}

// Describe returns the description of the store.
func (c Counted) Describe() backends.Description { return backends.DescriptionOf(c.Backend) }
