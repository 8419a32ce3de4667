// Package negative remembers keys for which a loader found nothing.
//
// Every write of the cache calls [Set.Drop], and most of the keys are not there. So a
// [Set] is divided into shards, each with a lock of its own, and an empty shard is not
// locked at all.
package negative

import (
	"hash/maphash"
	"time"
)

const (
	maxShards    = 32
	minShardSize = 64 // keys; a smaller set has fewer shards, or one
)

// Set remembers keys for a TTL. It is bounded: when there is no room for a key, it
// forgets the one that was added first. All methods take constant time, except
// Clear and Len. They are safe for concurrent use. A nil Set remembers nothing.
type Set struct {
	seed   maphash.Seed
	shards []shard
}

// New returns a Set that remembers each key for ttl, and at most limit keys. A
// large Set reaches a little less, because its shards do not fill up evenly. New
// returns nil if ttl or limit is not positive.
func New(ttl time.Duration, limit int) *Set {
	if ttl <= 0 || limit <= 0 {
		return nil
	}
	n := 1
	for n < maxShards && limit/(2*n) >= minShardSize {
		n *= 2
	}
	s := &Set{seed: maphash.MakeSeed(), shards: make([]shard, n)}
	for i := range s.shards {
		s.shards[i].ttl, s.shards[i].limit = ttl, limit/n
	}
	return s
}

func (s *Set) shard(key string) *shard {
	return &s.shards[maphash.String(s.seed, key)%uint64(len(s.shards))]
}

// Add remembers key for the TTL, which begins now even if key is known already.
func (s *Set) Add(key string) {
	if s != nil {
		s.shard(key).add(key)
	}
}

// Has reports whether key is remembered.
func (s *Set) Has(key string) bool {
	return s != nil && s.shard(key).has(key)
}

// Drop forgets key.
func (s *Set) Drop(key string) {
	if s != nil {
		s.shard(key).drop(key)
	}
}

// Clear forgets all keys.
func (s *Set) Clear() {
	if s != nil {
		for i := range s.shards {
			s.shards[i].clear()
		}
	}
}

// Len returns how many keys are remembered.
func (s *Set) Len() (n int) {
	if s != nil {
		for i := range s.shards {
			n += s.shards[i].len()
		}
	}
	return n
}
