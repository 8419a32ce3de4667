package engine

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxNotes bounds the keys that notes are kept of.
const maxNotes = 10_000

// notes are remarks about keys, each for a while, and at most [maxNotes]: one whose time
// has passed makes room for another. The zero value is ready. It is safe for concurrent use.
type notes[T any] struct {
	n     atomic.Int64 // of byKey, so that who finds it empty needs no lock
	mu    sync.RWMutex
	byKey map[string]note[T]
	swept time.Time // when that was
}

// sweepRest is the time between two sweeps, each of which takes a tenth of a millisecond:
// a list that is full, and whose notes end one by one, is not swept for each that is put.
const sweepRest = 10 * time.Millisecond

type note[T any] struct {
	remark T
	until  time.Time
}

// put notes a remark about a key until a time. It reports false, and notes nothing, if
// there is no room.
func (s *notes[T]) put(key string, remark T, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.byKey[key]; !known && len(s.byKey) >= maxNotes && !s.sweep() {
		return false
	}
	if s.byKey == nil {
		s.byKey = make(map[string]note[T])
	}
	s.byKey[key] = note[T]{remark, until}
	s.n.Store(int64(len(s.byKey)))
	return true
}

// sweep removes notes whose time has passed. It reports whether there is room now. It
// is called locked.
func (s *notes[T]) sweep() bool {
	now := time.Now()
	if now.Sub(s.swept) < sweepRest {
		return false
	}
	s.swept = now
	for key, n := range s.byKey {
		if !now.Before(n.until) {
			delete(s.byKey, key)
		}
	}
	return len(s.byKey) < maxNotes
}

// get returns the note about a key, also after its time.
func (s *notes[T]) get(key string) (n note[T], ok bool) {
	if s.n.Load() == 0 {
		return n, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok = s.byKey[key]
	return n, ok
}

// past reports whether the note's time has passed. It goes by the monotonic clock, which
// no setting of the clock moves.
func (n *note[T]) past() bool { return !time.Now().Before(n.until) }

// drop removes the remark about a key.
func (s *notes[T]) drop(key string) {
	if s.n.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
	s.n.Store(int64(len(s.byKey)))
}
