package backendtest

import (
	"context"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Client is the access of one process to a [Store]. It has its own place in the log, its own
// connection for reading it, and its own estimate of the store's clock.
//
// It describes itself as a remote store of the system "fake" with all abilities of an
// L2. It is safe for concurrent use.
type Client[V any] struct {
	store   *Store[V]
	desc    backends.Description
	closed  chan struct{}
	close   sync.Once
	watched chan struct{} // is closed by the first Watch
	watch   sync.Once

	reader reader

	// Guarded by the store's mutex:
	lag   int
	seen  backends.Version
	skew  time.Duration
	known bool // skew was learned
}

var (
	_ backends.Backend[any]   = (*Client[any])(nil)
	_ backends.Versioned[any] = (*Client[any])(nil)
	_ backends.Batcher[any]   = (*Client[any])(nil)
	_ backends.Clocked        = (*Client[any])(nil)
	_ backends.Watcher        = (*Client[any])(nil)
	_ backends.Describer      = (*Client[any])(nil)
)

// Client returns a new client of s.
func (s *Store[V]) Client() *Client[V] {
	return &Client[V]{
		store: s,
		desc: backends.Description{System: "fake", Abilities: backends.Abilities{
			Versions: true, Deadlines: true, Batches: true, Log: true,
		}},
		closed:  make(chan struct{}),
		watched: make(chan struct{}),
	}
}

// Described makes c describe itself as desc, for instance with fewer abilities, and
// returns c. Call it before c is used.
func (c *Client[V]) Described(desc backends.Description) *Client[V] {
	c.desc = desc
	return c
}

// Lag makes reads see the store as it was that many changes ago, like a replica that lags behind,
// from now on. Declare [backends.Abilities.StaleReads] by Described if the cache should know.
func (c *Client[V]) Lag(changes int) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.lag = changes
}

// Describe returns the description of a remote store with all abilities of an L2, or the
// one given to [Client.Described].
func (c *Client[V]) Describe() backends.Description { return c.desc }

// Close ends Watch, and makes all calls fail with [backends.ErrClosed].
func (c *Client[V]) Close() error {
	c.close.Do(func() { close(c.closed) })
	return nil
}

// Get returns the entry at key unless it has expired.
func (c *Client[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	entry, answer, err := c.GetIf(ctx, key, 0)
	return entry, answer.Found == backends.Hit, err
}

// Set stores the entry at key.
func (c *Client[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	_, err := c.Write(ctx, &backends.Write[V]{Key: key, Kind: tier.Set, Entry: entry})
	return err
}

// Delete removes the entry at key and leaves a tombstone.
func (c *Client[V]) Delete(ctx context.Context, key string) error {
	_, err := c.Write(ctx, &backends.Write[V]{Key: key, Kind: tier.Delete})
	return err
}

// Write makes one change, or refuses it.
func (c *Client[V]) Write(ctx context.Context, w *backends.Write[V]) (backends.Result, error) {
	if err := c.ended(ctx); err != nil {
		return backends.Result{}, err
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	result, err := c.store.write(w)
	c.answered(result.Version)
	return result, err
}

// GetIf returns the entry at key with its versions, unless its version is have.
func (c *Client[V]) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[V], backends.Answer, error) {
	if err := c.ended(ctx); err != nil {
		return backends.Entry[V]{}, backends.Answer{}, err
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	entry, answer := c.store.read(key, have, c.lag)
	c.answered(answer.Version)
	return entry, answer, nil
}

// GetMany reads one key after the other.
func (c *Client[V]) GetMany(ctx context.Context, keys []string, got []backends.Got[V]) {
	if backends.RefuseReads(ctx, keys, got) {
		return
	}
	for i, key := range keys {
		got[i].Entry, got[i].Answer, got[i].Err = c.GetIf(ctx, key, 0)
	}
}

// WriteMany makes one change after the other.
func (c *Client[V]) WriteMany(ctx context.Context, writes []backends.Write[V], done []backends.Done) {
	if backends.RefuseWrites(ctx, writes, done) {
		return
	}
	for i := range writes {
		done[i].Result, done[i].Err = c.Write(ctx, &writes[i])
	}
}

// StoreTime returns the store's time as far as this client knows: by its last answer,
// after which [Store.Advance] may have moved it.
func (c *Client[V]) StoreTime() (now time.Time, within time.Duration, ok bool) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return time.Now().Add(c.skew), 0, c.known
}

// Seen returns the greatest version that an answer to this client, or a change that it
// delivered, has shown, whatever the key: the store has one log.
func (c *Client[V]) Seen(string) backends.Version {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return c.seen
}

// answered takes note of an answer of the store.
func (c *Client[V]) answered(v backends.Version) {
	c.seen = max(c.seen, v)
	c.skew, c.known = c.store.skew, true
}

// ended returns the error of a call that is not sent.
func (c *Client[V]) ended(ctx context.Context) error {
	select {
	case <-c.closed:
		return backends.ErrClosed
	default:
		return backends.NotApplied(backends.ContextError(ctx))
	}
}
