package backendtest

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Map is a [backends.Backend] over a Go map and a mutex, for L1. It ignores contexts, except for
// nil, and never evicts; an expired entry stays in memory until it is written or
// deleted. It describes itself as in-process, with stamps and walks. It is safe for
// concurrent use.
type Map[V any] struct {
	mu      sync.Mutex
	entries map[string]backends.Entry[V]
	stamped map[string]stamped[V] // those of entries that have a stamp
	desc    backends.Description
}

// stamped is an entry with its stamp, so that a fresh hit is one lookup.
type stamped[V any] struct {
	value     V
	expiresAt time.Time
	stamp     backends.Stamp
}

var (
	_ backends.Backend[any] = (*Map[any])(nil)
	_ backends.Describer    = (*Map[any])(nil)

	_ backends.ValueGetter[any] = (*Map[any])(nil)
	_ backends.Stamped[any]     = (*Map[any])(nil)
	_ backends.FreshGetter[any] = (*Map[any])(nil)
	_ backends.Walker           = (*Map[any])(nil)
)

// NewMap returns an empty Map.
func NewMap[V any]() *Map[V] {
	return &Map[V]{
		entries: make(map[string]backends.Entry[V]),
		stamped: make(map[string]stamped[V]),
		desc:    backends.Description{InProcess: true, Abilities: backends.Abilities{Stamps: true, Walks: true}},
	}
}

// Described makes m describe itself as desc, for instance as in-process without any
// ability, and returns m. Call it before m is used.
func (m *Map[V]) Described(desc backends.Description) *Map[V] {
	m.desc = desc
	return m
}

// Get returns the entry at key unless it has expired.
func (m *Map[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	if ctx == nil {
		return backends.Entry[V]{}, false, backends.ErrNilContext
	}
	m.mu.Lock()
	entry, ok = m.entries[key]
	m.mu.Unlock()
	if !ok || !entry.ExpiresAt.IsZero() && entry.Expired(time.Now()) {
		return backends.Entry[V]{}, false, nil
	}
	return entry, true, nil
}

// Set stores the entry at key.
func (m *Map[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	m.mu.Lock()
	m.entries[key] = entry
	delete(m.stamped, key)
	m.mu.Unlock()
	return nil
}

// Delete removes the entry at key.
func (m *Map[V]) Delete(ctx context.Context, key string) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	m.mu.Lock()
	delete(m.entries, key)
	delete(m.stamped, key)
	m.mu.Unlock()
	return nil
}

// Describe returns the description of a store in the process with stamps and walks, or the
// one given to [Map.Described].
func (m *Map[V]) Describe() backends.Description { return m.desc }

// Snapshot returns a copy of all entries, expired ones included.
func (m *Map[V]) Snapshot() map[string]backends.Entry[V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.entries)
}

// GetValue is Get for callers that want only the value.
func (m *Map[V]) GetValue(ctx context.Context, key string) (value V, ok bool, err error) {
	if ctx == nil {
		return value, false, backends.ErrNilContext
	}
	m.mu.Lock()
	entry, ok := m.entries[key]
	m.mu.Unlock()
	if !ok || !entry.ExpiresAt.IsZero() && entry.Expired(time.Now()) {
		return value, false, nil
	}
	return entry.Value, true, nil
}
