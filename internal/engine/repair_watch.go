package engine

import (
	"context"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/ledger"
)

// listening is a store's watcher whose sink tells the repairs too.
type listening[V any] struct {
	backends.Watcher
	repairs *repairs[V]
}

// Watch implements [backends.Watcher].
func (l listening[V]) Watch(ctx context.Context, sink backends.Sink) error {
	return l.Watcher.Watch(ctx, listener[V]{sink, l.repairs})
}

type listener[V any] struct {
	backends.Sink
	repairs *repairs[V]
}

// Changed implements [backends.Sink].
func (l listener[V]) Changed(changes []backends.Change) {
	l.Sink.Changed(changes)
	for i := range changes {
		l.repairs.changed(&changes[i])
	}
}

// Synced implements [backends.Sink].
func (l listener[V]) Synced(asOf time.Time) {
	l.Sink.Synced(asOf)
	l.repairs.synced()
}

// Lost implements [backends.Sink]. Where versions may be given again, to other changes,
// those from before prove nothing.
func (l listener[V]) Lost(cause backends.Loss) {
	if cause != backends.LossTrimmed && cause != backends.LossDisconnected {
		l.repairs.ledger.Void()
	}
	l.Sink.Lost(cause)
	l.repairs.poke()
}

// changed opens a new event for a write that was resolved, because L2 did not have it,
// and that has come all the same: L2's clock has stepped back. L1 has dropped its copy.
func (p *repairs[V]) changed(c *backends.Change) {
	e, late := p.resolved.take(c)
	if !late {
		return
	}
	if _, open := p.ledger.Get(c.Key); open {
		return
	}
	now := time.Now()
	e.Cause, e.Since, e.Until, e.Base, e.Held = ledger.Unknown, now, now, 0, false
	p.ledger.Open(&e)
	p.poke()
}

// maxResolved bounds the operations that are remembered.
const maxResolved = 1024

// resolved are operations that L2 did not have when they were resolved, the newest ones.
// The zero value is ready.
type resolved struct {
	mu    sync.Mutex
	known map[uint64]looked
	order []uint64
}

type looked struct {
	entry ledger.Entry
	seen  backends.Version // a change up to here was made before the look
}

func (r *resolved) add(e *ledger.Entry, seen backends.Version) {
	if e.Operation == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = make(map[uint64]looked)
	}
	if _, known := r.known[e.Operation]; !known {
		r.order = append(r.order, e.Operation)
	}
	r.known[e.Operation] = looked{*e, seen}
	if len(r.order) > maxResolved {
		delete(r.known, r.order[0])
		r.order = r.order[1:]
	}
}

// take returns the entry of a change that was made after its operation was resolved.
func (r *resolved) take(c *backends.Change) (e ledger.Entry, late bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.known[c.Operation] // 0 is none
	if !ok || found.entry.Key != c.Key || found.seen.Covers(c.Version) {
		return e, false
	}
	delete(r.known, c.Operation)
	return found.entry, true
}
