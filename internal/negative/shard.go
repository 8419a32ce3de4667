package negative

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// shard is one part of a Set. All its keys have the same TTL, so the order in
// which they were added is also that in which they expire.
type shard struct {
	ttl   time.Duration
	limit int
	size  atomic.Int64 // of keys; changed under mu, read without it

	mu    sync.Mutex
	keys  map[string]*list.Element
	order list.List // of *remembered, the oldest first

	_ [40]byte // two cache lines, so that shards do not share one
}

type remembered struct {
	key       string
	expiresAt time.Time
}

// expireStep is how many expired keys an operation removes. It adds one at most,
// so that expired keys become fewer without any operation having to remove many.
const expireStep = 2

func (s *shard) add(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // under mu, so that the order is that of expiry
	s.expire(now, expireStep)
	e := s.keys[key]
	switch {
	case e != nil:
		s.order.MoveToBack(e)
	case s.order.Len() >= s.limit:
		e = s.order.Front() // its memory serves again
		delete(s.keys, e.Value.(*remembered).key)
		s.order.MoveToBack(e)
	default:
		e = s.order.PushBack(new(remembered))
	}
	if s.keys == nil {
		s.keys = make(map[string]*list.Element)
	}
	*e.Value.(*remembered) = remembered{key, now.Add(s.ttl)}
	s.keys[key] = e
	s.size.Store(int64(s.order.Len()))
}

func (s *shard) has(key string) bool {
	if s.size.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.keys[key]
	return e != nil && time.Now().Before(e.Value.(*remembered).expiresAt)
}

// drop reads size without the lock. It does not miss a key: adding and dropping
// one key are ordered by that key's lock in the cache.
func (s *shard) drop(key string) {
	if s.size.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.keys[key]; e != nil {
		s.remove(e)
	}
	s.expire(time.Now(), expireStep) // or the shard would not become empty without add
}

func (s *shard) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = nil
	s.order.Init()
	s.size.Store(0)
}

func (s *shard) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(time.Now(), s.limit)
	return s.order.Len()
}

// expire removes keys that have expired, at most limit of them. It is called
// locked, and so is remove.
func (s *shard) expire(now time.Time, limit int) {
	for e := s.order.Front(); e != nil && limit > 0 && !now.Before(e.Value.(*remembered).expiresAt); e = s.order.Front() {
		s.remove(e)
		limit--
	}
}

func (s *shard) remove(e *list.Element) {
	delete(s.keys, e.Value.(*remembered).key)
	s.order.Remove(e)
	s.size.Store(int64(s.order.Len()))
}
