package coherence

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Observer is told of everything that happens. Its methods may block, or end the
// goroutine: only the next call waits for them.
type Observer interface {
	// Happened is called once for each event, in their order, by a goroutine that
	// does nothing else.
	Happened(e Event)

	// Processed is called after the changes of a batch were applied. It must not keep
	// the batch.
	Processed(b *Batch)

	// Counted counts changes whose outcome was decided by the operation that held the
	// key's lock.
	Counted(outcome Outcome, n int)
}

// Event is a change of trust, or a gap. There is exactly one without Gap for each time
// that trust is lost, and one for each time that it is back after that.
type Event struct {
	Gap     bool          // changes may have been missed; trust was lost before, or is with this
	Gaps    int           // how many there were of the same cause, one after the other
	Loss    backends.Loss // of a gap
	Trusted bool          // trust is back
	Cause   string        // for which it was lost
	At      time.Time
	Lasted  time.Duration // without trust, if it is back
}

// events are those that the observer has not been told of.
type events struct {
	queue     []Event
	delivered chan struct{} // closed when the queue is empty; nil: it is
}

// emit is called locked. The observer is told in another goroutine, because it may call
// the cache, or hang. Gaps of one cause that wait for it are one event: there may be one for
// each change, as long as L1 does not drop its entries.
func (m *Machine) emit(e Event) {
	if last := len(m.events.queue) - 1; last >= 0 && e.isGapLike(&m.events.queue[last]) {
		m.events.queue[last].Gaps++
		return
	}
	m.events.queue = append(m.events.queue, e)
	if m.events.delivered == nil {
		m.events.delivered = make(chan struct{})
		go m.deliver()
	}
}

// isGapLike reports whether e and o are gaps of the same cause.
func (e *Event) isGapLike(o *Event) bool {
	return e.Gap && o.Gap && e.Loss == o.Loss && e.Cause == o.Cause
}

// deliver tells the observer. If that ends the goroutine, another one goes on.
func (m *Machine) deliver() {
	for {
		m.mu.Lock()
		if len(m.events.queue) == 0 {
			close(m.events.delivered)
			m.events = events{}
			m.mu.Unlock()
			return
		}
		e := m.events.queue[0]
		m.events.queue = m.events.queue[1:]
		m.mu.Unlock()
		m.tell(e)
	}
}

func (m *Machine) tell(e Event) {
	returned := false
	defer func() {
		if !returned {
			go m.deliver()
		}
	}()
	m.observer.Happened(e)
	returned = true
}

// Close ends the machine: no entry is trusted any more, and no event follows. It waits
// until the observer was told of the earlier ones, or ctx ends.
func (m *Machine) Close(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.trusted, m.cause, m.since = false, causeClosed, time.Now()
	}
	m.closed = true
	m.synced.Store(never)
	m.epoch.Store(0)
	m.timer.Stop()
	delivered := m.events.delivered
	m.mu.Unlock()
	if delivered == nil {
		return nil
	}
	select {
	case <-delivered:
		return nil
	case <-ctx.Done():
		return backends.ContextError(ctx)
	}
}

func (m *Machine) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}
