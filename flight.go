package tiercache

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// flights are the loads under way, one for a key.
type flights[V any] struct {
	mu    sync.Mutex
	byKey map[string]*flight[V]
}

// flight is one read of L2 and, if need be, one call of a loader, for all
// callers that wait for it.
type flight[V any] struct {
	cache  *Cache[V]
	key    string
	read   *read[V]
	leader trace.SpanContext  // of the caller that came first
	cancel context.CancelFunc // ends the loader's context; guarded by flights.mu until done

	waiters int  // guarded by flights.mu
	refresh bool // it does not ask the tiers, so it is not for callers that found nothing

	done   chan struct{} // closed when what follows is set
	value  V
	answer tracing.Answer
	err    error
}

// join adds the caller, whose span is given, to the flight of the key, or to a
// new one. A flight whose fence is broken may bring back what a write has
// replaced, so those who come after that write do not join it.
func (fs *flights[V]) join(
	c *Cache[V], key string, refresh bool, caller trace.SpanContext,
) (f *flight[V], first bool, err error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.byKey[key]; f != nil && !f.read.fence.Broken() && (refresh || !f.refresh) {
		f.waiters++
		return f, false, nil
	}
	f = &flight[V]{
		cache: c, key: key, read: c.newRead(key), leader: caller, waiters: 1, refresh: refresh,
		done: make(chan struct{}),
	}
	if err := f.read.begin(); err != nil {
		return nil, false, err
	}
	if fs.byKey == nil {
		fs.byKey = make(map[string]*flight[V])
	}
	fs.byKey[key] = f
	return f, true, nil
}

// leave takes a caller off. When none is left, nobody wants the result, and the
// flight is cancelled.
func (f *flight[V]) leave() {
	fs := &f.cache.flights
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		fs.forget(f)
		if f.cancel != nil {
			f.cancel()
		}
	}
}

// forget is called locked. Another flight may have taken the place of f.
func (fs *flights[V]) forget(f *flight[V]) {
	if fs.byKey[f.key] == f {
		delete(fs.byKey, f.key)
	}
}

// land publishes the result and ends the flight.
func (f *flight[V]) land() {
	fs := &f.cache.flights
	fs.mu.Lock()
	fs.forget(f)
	fs.mu.Unlock()
	close(f.done)
	f.cancel()
	f.read.done()
}

// start detaches the flight from the caller that began it.
func (f *flight[V]) start(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(detach(ctx))
	fs := &f.cache.flights
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.cancel = cancel
	if f.waiters == 0 { // it has left before
		cancel()
	}
	return ctx
}

// run reads the tiers and loads what they do not have.
func (f *flight[V]) run(ctx context.Context, ttl time.Duration, l1 asked, load func(ctx context.Context) (V, error)) {
	ctx = f.start(ctx)
	defer f.land()
	if n := f.cache.negatives; n != nil && n.has(f.key) {
		f.answer = tracing.Answer{Found: tracing.LookupNegative}
		f.err = backends.ErrNotFound
		return
	}
	if f.again(ctx, l1) {
		return
	}
	entry, a, err := f.read.run(ctx, l1)
	if a.Found == tracing.LookupHit {
		f.value, f.answer = entry.Value, a
		return
	}
	f.load(ctx, ttl, load, err == nil)
	if f.err != nil && err != nil { // otherwise the loader has made good for it
		f.err = errors.Join(f.err, err)
	}
}

// again asks L1 once more, now that nobody else loads the key: whoever did may
// have filled it since. It also finds an entry that is kept as a stale one.
func (f *flight[V]) again(ctx context.Context, l1 asked) bool {
	if !l1.yes {
		return false // it is asked anyway
	}
	c := f.cache
	entry, ok, err := c.l1.get(ctx, f.key)
	if err != nil || !ok {
		return false
	}
	hit := c.fresh(&entry)
	f.read.l1.entry, f.read.l1.stale = entry, !hit
	if hit {
		f.value, f.answer = entry.Value, tracing.Answer{Found: tracing.LookupHit, Tier: 1}
	}
	return hit
}

// load calls the loader. That it finds nothing is remembered only if the tiers are
// known to have nothing either.
func (f *flight[V]) load(
	ctx context.Context, ttl time.Duration, load func(ctx context.Context) (V, error), missed bool,
) {
	f.answer = tracing.Answer{Found: tracing.LookupError}
	if f.err = context.Cause(ctx); f.err != nil {
		return // all callers have left
	}
	value, err := f.call(ctx, load)
	switch {
	case errors.Is(err, backends.ErrNotFound):
		if missed {
			f.notFound(ctx)
		}
		f.answer.Found, f.err = tracing.LookupMiss, err
	case err != nil:
		f.orStale(err)
	default:
		f.value = value
		f.answer = tracing.Answer{Found: tracing.LookupLoad, Refill: f.write(ctx, value, ttl)}
	}
}

// runAhead loads without asking the tiers first.
func (f *flight[V]) runAhead(ctx context.Context, ttl time.Duration, load func(ctx context.Context) (V, error)) {
	ctx = f.start(ctx)
	defer f.land()
	f.load(ctx, ttl, load, false)
}
