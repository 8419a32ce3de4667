package backendtest

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// GetStamped returns the entry at key and its stamp unless it has expired.
func (m *Map[V]) GetStamped(ctx context.Context, key string) (entry backends.Entry[V], stamp backends.Stamp, ok bool, err error) {
	if ctx == nil {
		return backends.Entry[V]{}, backends.Stamp{}, false, backends.ErrNilContext
	}
	m.mu.Lock()
	entry, ok = m.entries[key]
	stamp = m.stamped[key].stamp
	m.mu.Unlock()
	if !ok || !entry.ExpiresAt.IsZero() && entry.Expired(time.Now()) {
		return backends.Entry[V]{}, backends.Stamp{}, false, nil
	}
	return entry, stamp, true, nil
}

// GetFresh returns the value at key if it is stamped with the epoch and a version.
func (m *Map[V]) GetFresh(ctx context.Context, key string, epoch uint32) (value V, ok bool, err error) {
	if ctx == nil {
		return value, false, backends.ErrNilContext
	}
	m.mu.Lock()
	s, ok := m.stamped[key]
	m.mu.Unlock()
	if !ok || s.stamp.Epoch != epoch || s.stamp.Version == 0 || !s.expiresAt.IsZero() && !time.Now().Before(s.expiresAt) {
		return value, false, nil
	}
	return s.value, true, nil
}

// SetStamped stores the entry at key with a stamp.
func (m *Map[V]) SetStamped(ctx context.Context, key string, entry backends.Entry[V], stamp backends.Stamp) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	m.mu.Lock()
	m.entries[key] = entry
	m.stamped[key] = stamped[V]{entry.Value, entry.ExpiresAt, stamp}
	m.mu.Unlock()
	return nil
}

// Walk visits the entries. It holds no lock while visit runs.
func (m *Map[V]) Walk(ctx context.Context, visit func(key string, stamp backends.Stamp) bool) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	m.mu.Lock()
	keys := make([]string, 0, len(m.entries))
	for key := range m.entries {
		keys = append(keys, key)
	}
	m.mu.Unlock()
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return backends.ContextError(ctx)
		}
		_, stamp, ok, err := m.GetStamped(ctx, key)
		if err != nil {
			return err
		}
		if ok && !visit(key, stamp) {
			return nil
		}
	}
	return nil
}
