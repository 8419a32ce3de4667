package redis_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

func startReplica(t *testing.T, of *server.Redis) *server.Redis {
	t.Helper()
	s, err := server.StartReplica(t.Context(), of)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// followed is a sink that keeps what it is told.
type followed struct {
	mu      sync.Mutex
	changes []backends.Change
	synced  time.Time
	losses  []backends.Loss
	at      []time.Time // when the changes were told
}

var _ backends.Sink = (*followed)(nil)

func (r *followed) Changed(changes []backends.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		r.changes = append(r.changes, c)
		r.at = append(r.at, time.Now())
	}
}

func (r *followed) Synced(asOf time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.synced = asOf
}

func (r *followed) Lost(cause backends.Loss) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.synced = time.Time{}
	r.losses = append(r.losses, cause)
}

// snapshot returns a copy that is not told of anything more.
func (r *followed) snapshot() *followed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &followed{
		changes: append([]backends.Change(nil), r.changes...), synced: r.synced,
		losses: append([]backends.Loss(nil), r.losses...),
	}
}

func (r *followed) lost() []backends.Loss {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]backends.Loss(nil), r.losses...)
}

func (r *followed) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.changes)
}

// versions are those of the changes, which must rise without a hole between losses.
func (r *followed) versions() (versions []backends.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.changes {
		versions = append(versions, c.Version)
	}
	return versions
}

// isSynced waits until the sink is in sync as of now.
func (r *followed) isSynced(tb testing.TB) {
	tb.Helper()
	begin := time.Now()
	if !assert.Eventually(tb, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.synced.After(begin)
	}, patience, time.Millisecond) {
		require.Fail(tb, "not in sync", "losses: %v", r.lost())
	}
}

// watch follows b until the test ends.
func watchOf(tb testing.TB, b backends.Watcher) *followed {
	tb.Helper()
	r := new(followed)
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- b.Watch(ctx, r) }()
	tb.Cleanup(func() {
		cancel()
		assert.ErrorIs(tb, <-done, context.Canceled)
	})
	return r
}
