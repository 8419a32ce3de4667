package repair

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
)

var _ backends.Sink = (*history)(nil)

// history is all that was sent to L2, and all that it has changed. Times are of the clock
// of this machine, which is that of L2 too.
type history struct {
	mu        sync.Mutex
	sent      []*request
	changes   []backends.Change // in the order of L2
	evictions []eviction
	synced    time.Time
	lost      int
}

// request is one that may change a key.
type request struct {
	by        int // the instance
	key       string
	value     string
	removes   bool
	repair    bool
	operation uint64
	begun     time.Time        // before it was sent
	before    time.Time        // its deadline
	version   backends.Version // if L2 has answered that it was applied
	refused   backends.Refusal
}

type eviction struct {
	key string
	at  time.Time
}

// breakage is a part of the repair that is missing, so that the judge is seen to find the
// violations which that part prevents.
type breakage int

const (
	intact    breakage = iota
	blind              // a repair has no condition
	deadlines          // L2 is told no deadlines
)

// recorder is the L2 of an instance, whose requests are recorded.
type recorder struct {
	*secondTier
	history *history
	number  int
	broken  breakage
	meddle  func(key string) // another instance may write the key, between a repair's look at L2 and its write
}

func (r *recorder) Write(ctx context.Context, w *backends.Write[string]) (backends.Result, error) {
	own, repair := *w, w.If.Test == backends.TestNotNewer
	if repair {
		r.meddle(w.Key)
		if r.broken == blind {
			own.If = backends.Condition{}
		}
	}
	if r.broken == deadlines {
		own.Before = time.Time{}
	}
	q := &request{
		by: r.number, key: w.Key, value: w.Entry.Value, removes: w.Kind == tier.Delete, repair: repair,
		operation: w.Operation, begun: time.Now(), before: w.Before,
	}
	r.history.mu.Lock()
	r.history.sent = append(r.history.sent, q)
	r.history.mu.Unlock()
	res, err := r.secondTier.Write(ctx, &own)
	r.history.mu.Lock()
	defer r.history.mu.Unlock()
	if err == nil {
		q.refused = res.Refused
		if res.Applied() {
			q.version = res.Version
		}
	}
	return res, err
}

// follow records all changes, until the test ends.
func (h *history) follow(t *testing.T, s *server.Redis) {
	t.Helper()
	l2 := newL2(t, redis.NewClient(clientOptions(s.Addr)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.ErrorIs(t, l2.Watch(ctx, h), context.Canceled)
	}()
	t.Cleanup(func() { cancel(); <-done })
	h.await(t, time.Now())
}

// await waits until all changes before an instant are recorded.
func (h *history) await(t *testing.T, at time.Time) {
	t.Helper()
	require.Eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.synced.After(at)
	}, patience, 5*time.Millisecond)
	assert.Zero(t, h.lost, "the judge has missed changes")
}

func (h *history) evicted(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.evictions = append(h.evictions, eviction{key, time.Now()})
}

// mayLack reports whether a key was evicted. L1 may go on to have the entry.
func (h *history) mayLack(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.evictions, func(e eviction) bool { return e.key == key })
}

// Changed implements [backends.Sink].
func (h *history) Changed(changes []backends.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range changes {
		c.Note = nil
		h.changes = append(h.changes, c)
	}
}

// Synced implements [backends.Sink].
func (h *history) Synced(asOf time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.synced = asOf
}

// Lost implements [backends.Sink].
func (h *history) Lost(backends.Loss) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost++
}
