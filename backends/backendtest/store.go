package backendtest

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Store is a store that several processes share: an L2 with versions, conditions,
// deadlines and a log of all changes, in the memory of a test. Each process has a
// [Client] of its own.
//
// Nothing happens by itself. The test says when a client reads the log, and when the
// store forgets, fails over or loses its log:
//
//	store := backendtest.NewStore[string]()
//	here, there := store.Client(), store.Client()
//	go here.Watch(ctx, sink)
//	<-here.Watched()
//	there.Set(ctx, "key", entry)
//	here.Deliver(1)  // sink.Changed
//	here.Heartbeat() // sink.Synced
//
// Faults of single calls come from [WithFaults] around a client. A Store is safe for
// concurrent use.
type Store[V any] struct {
	mu    sync.Mutex
	skew  time.Duration // of the store's clock
	items map[string]item[V]
	log   changeLog[V]
}

// item is all that the store has at a key.
type item[V any] struct {
	entry  backends.Entry[V]
	answer backends.Answer // a Miss: of a deletion
	forget time.Time       // zero: never
}

// live reports whether readers see an entry.
func (i item[V]) live(now time.Time) bool {
	return i.answer.Found == backends.Hit && !i.entry.Expired(now)
}

// NewStore returns an empty Store.
func NewStore[V any]() *Store[V] {
	return &Store[V]{items: make(map[string]item[V])}
}

// Advance sets the store's clock ahead of time.Now by d more, or back if d is negative.
// The clock decides expiries, deadlines and how long deletions are remembered. A
// client knows of it after the next answer of the store.
func (s *Store[V]) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew += d
}

// Snapshot returns a copy of all entries, expired ones that are remembered included.
func (s *Store[V]) Snapshot() map[string]backends.Entry[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	all := make(map[string]backends.Entry[V])
	for key, i := range s.items {
		if i.answer.Found == backends.Hit {
			all[key] = i.entry
		}
	}
	return all
}

// Remembers returns what the store knows about key, which may be deleted or expired.
// It is no call of a client: no client sees the version.
func (s *Store[V]) Remembers(key string) backends.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, answer := s.read(key, 0, 0)
	return answer
}

// Evict removes the entry or deletion at each key, versions included, as a store that needs the
// space does. The log does not show it.
func (s *Store[V]) Evict(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		delete(s.items, key)
	}
}

// EvictTombstones makes the store forget all deleted and expired entries before their
// time.
func (s *Store[V]) EvictTombstones() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.items, func(_ string, i item[V]) bool { return !i.live(now) })
}

func (s *Store[V]) now() time.Time { return time.Now().Add(s.skew) }

// forget drops the items whose time has come.
func (s *Store[V]) forget() {
	now := s.now()
	maps.DeleteFunc(s.items, func(_ string, i item[V]) bool { return i.forgotten(now) })
}

func (i item[V]) forgotten(now time.Time) bool { return !i.forget.IsZero() && !now.Before(i.forget) }

// write decides and makes one change.
func (s *Store[V]) write(w *backends.Write[V]) (backends.Result, error) {
	if err := w.Check(); err != nil {
		return backends.Result{}, err
	}
	now := s.now()
	old, existed := s.items[w.Key]
	if old.forgotten(now) {
		old, existed = item[V]{}, false
	}
	if refused := refusal(w, &old, now); refused != backends.NotRefused {
		return backends.Result{Refused: refused, Version: old.answer.Version, Source: old.answer.Source}, nil
	}
	next := changed(w, &old, now)
	next.answer.Version = s.log.append(backends.Change{
		Key: w.Key, Kind: kindOf(next), Operation: w.Operation, Note: next.answer.Note, At: now,
	}, old, existed)
	s.items[w.Key] = next
	return backends.Result{Version: next.answer.Version, Source: next.answer.Source}, nil
}

// refusal says why w is not made, if it is not.
func refusal[V any](w *backends.Write[V], old *item[V], now time.Time) backends.Refusal {
	switch {
	case !w.Before.IsZero() && now.After(w.Before):
		return backends.RefusedLate
	case !w.If.Holds(w.Kind == tier.Delete, old.answer.Version, old.live(now)):
		return backends.RefusedCondition
	case w.Source != 0 && w.Source < old.answer.Source:
		return backends.RefusedSource
	default:
		return backends.NotRefused
	}
}

// changed returns the item that w puts in the place of old. An entry that has expired
// already is a deletion.
func changed[V any](w *backends.Write[V], old *item[V], now time.Time) item[V] {
	keep := w.Keep
	if keep == 0 {
		keep = backends.DefaultKeep
	}
	next := item[V]{answer: backends.Answer{
		Source: w.Source, Operation: w.Operation, Note: slices.Clone(w.Note), Codec: w.Codec,
	}}
	if w.Kind == tier.Delete || w.Entry.Expired(now) {
		next.forget = now.Add(keep)
		next.answer.Source = max(w.Source, old.answer.Source)
		return next
	}
	next.entry, next.answer.Found = w.Entry, backends.Hit
	if !w.Entry.ExpiresAt.IsZero() {
		next.forget = w.Entry.ExpiresAt.Add(keep)
	}
	return next
}

func kindOf[V any](i item[V]) tier.Kind {
	if i.answer.Found == backends.Hit {
		return tier.Set
	}
	return tier.Delete
}

// read returns the entry at key as it was that many changes ago.
func (s *Store[V]) read(key string, have backends.Version, lag int) (backends.Entry[V], backends.Answer) {
	now := s.now()
	i := s.log.ago(lag, key, s.items[key])
	if i.forgotten(now) {
		return backends.Entry[V]{}, backends.Answer{}
	}
	answer := i.answer
	answer.Note = slices.Clone(answer.Note)
	switch {
	case !i.live(now):
		answer.Found = backends.Miss
		return backends.Entry[V]{}, answer
	case have != 0 && have == answer.Version:
		answer.Found = backends.Unchanged
		return backends.Entry[V]{}, answer
	default:
		return i.entry, answer
	}
}
