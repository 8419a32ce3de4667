package backendtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// reader is a client's place in the log. Its mutex is taken before the store's, and
// held while sinks are called.
type reader struct {
	mu     sync.Mutex
	sinks  []*backends.Sink
	cut    bool
	joined bool // server and at are known:
	server int
	at     backends.Version // the last change that was delivered
	denied bool
}

// Watch tells sink of the changes from now on, when the test calls [Client.Deliver],
// [Client.Heartbeat], [Client.Sync] or [Client.Lose], and in the goroutine that does. It
// returns when ctx ends or c is closed. Several sinks share one place in the log. A
// sink must not call c's methods that read the log.
func (c *Client[V]) Watch(ctx context.Context, sink backends.Sink) error {
	switch {
	case ctx == nil:
		return backends.ErrNilContext
	case sink == nil:
		return backends.ErrNilSink
	}
	r := &c.reader
	r.mu.Lock()
	if r.denied {
		r.mu.Unlock()
		return backends.Unsupported("watching")
	}
	r.sinks = append(r.sinks, &sink)
	if !r.joined && !r.cut {
		c.join()
	}
	r.mu.Unlock()
	defer c.leave(&sink)
	c.watch.Do(func() { close(c.watched) })
	select {
	case <-ctx.Done():
		return backends.ContextError(ctx)
	case <-c.closed:
		return backends.ErrClosed
	}
}

// Watched returns a channel that is closed once somebody watches.
func (c *Client[V]) Watched() <-chan struct{} { return c.watched }

// DenyWatch makes Watch return an error that wraps [backends.ErrUnsupported], like a store whose
// permissions forbid it. Call it before Watch.
func (c *Client[V]) DenyWatch() {
	c.reader.mu.Lock()
	defer c.reader.mu.Unlock()
	c.reader.denied = true
}

// Deliver reads at most n changes from the log and tells the sinks of them in one call;
// n is negative for all. It returns how many there were: none while c is disconnected
// or nobody watches. If changes are missing it tells the sinks of the loss instead.
func (c *Client[V]) Deliver(n int) int {
	r := &c.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.joined || r.cut {
		return 0
	}
	c.store.mu.Lock()
	cause, missed := c.store.log.gap(r.server, r.at)
	var changes []backends.Change
	if !missed {
		changes = c.store.log.after(r.at, n)
	}
	c.store.mu.Unlock()
	switch {
	case missed:
		c.lose(cause)
	case len(changes) > 0:
		c.tell(changes)
	}
	return len(changes)
}

// Heartbeat asks the store whether c has all changes, and tells the sinks, by Synced or by
// Lost. While changes wait to be delivered, c is disconnected or nobody watches, it
// tells them nothing. It returns whether it called Synced.
func (c *Client[V]) Heartbeat() bool {
	r := &c.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.joined || r.cut {
		return false
	}
	asOf := time.Now()
	c.store.mu.Lock()
	cause, missed := c.store.log.gap(r.server, r.at)
	head := c.store.log.head()
	if !missed && max(c.seen, r.at) > head {
		cause, missed = backends.LossBehind, true
	}
	c.answered(0)
	c.store.mu.Unlock()
	switch {
	case missed:
		c.lose(cause)
		return false
	case r.at != head:
		return false
	}
	for _, sink := range r.sinks {
		(*sink).Synced(asOf)
	}
	return true
}

// Sync delivers all changes, and then asks by a heartbeat. After a loss it does both
// once more. It returns whether the sinks are in sync.
func (c *Client[V]) Sync() bool {
	for range 2 {
		c.Deliver(-1)
		if c.Heartbeat() {
			return true
		}
	}
	return false
}

// Pending returns how many changes wait to be delivered.
func (c *Client[V]) Pending() int {
	c.reader.mu.Lock()
	defer c.reader.mu.Unlock()
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if _, missed := c.store.log.gap(c.reader.server, c.reader.at); !c.reader.joined || missed {
		return 0
	}
	return len(c.store.log.after(c.reader.at, -1))
}

// Disconnect cuts the connection on which c reads the log. Other calls go on.
func (c *Client[V]) Disconnect() {
	c.reader.mu.Lock()
	defer c.reader.mu.Unlock()
	c.reader.cut = true
}

// Reconnect ends a Disconnect. Reading goes on where it was.
func (c *Client[V]) Reconnect() {
	r := &c.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = false
	if !r.joined && len(r.sinks) > 0 {
		c.join()
	}
}

// Lose tells the sinks of a loss that a [Store] does not cause by itself, such as
// [backends.LossDisconnected] after too long a time, or [backends.LossProtocol].
func (c *Client[V]) Lose(cause backends.Loss) {
	c.reader.mu.Lock()
	defer c.reader.mu.Unlock()
	if c.reader.joined {
		c.lose(cause)
	}
}

// tell delivers changes, and then takes away what a sink must not keep.
func (c *Client[V]) tell(changes []backends.Change) {
	last := changes[len(changes)-1].Version
	c.reader.at = last
	c.store.mu.Lock()
	c.answered(last)
	c.store.mu.Unlock()
	for _, sink := range c.reader.sinks {
		given := slices.Clone(changes)
		for i := range given {
			given[i].Note = slices.Clone(given[i].Note)
		}
		(*sink).Changed(given)
		for _, change := range given {
			clear(change.Note)
		}
		clear(given)
	}
}

// lose tells the sinks of a loss and begins anew at the end of the log.
func (c *Client[V]) lose(cause backends.Loss) {
	c.join()
	for _, sink := range c.reader.sinks {
		(*sink).Lost(cause)
	}
}

// join takes the end of the log as the reader's place, and makes the log if there is none.
func (c *Client[V]) join() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	l := &c.store.log
	l.begin()
	c.reader.joined, c.reader.server, c.reader.at = true, l.server, l.head()
	c.seen = l.head()
}

// leave takes a sink away. It is not called any more when leave returns.
func (c *Client[V]) leave(sink *backends.Sink) {
	r := &c.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sinks = slices.DeleteFunc(r.sinks, func(s *backends.Sink) bool { return s == sink })
	r.joined = r.joined && len(r.sinks) > 0
}
