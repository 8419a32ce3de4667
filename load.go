package tiercache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/errtype"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// LoadError is the error of a loader, or its panic. Its text does not quote the
// key.
type LoadError struct {
	Err  error
	text string
}

// Error returns the loader's text.
func (e *LoadError) Error() string { return "tiercache: load: " + e.text }

// Unwrap returns the loader's error.
func (e *LoadError) Unwrap() error { return e.Err }

// ErrorType returns the value of the attribute error.type.
func (e *LoadError) ErrorType() string { return errtype.Of(e.Err) }

// GetOrLoad returns the value at key, and calls load for it when neither tier has
// one, or when L1 has none and L2 cannot be read. What was loaded is written to
// the tiers by the write policy, with the given life (0: for ever), unless a newer
// write of the key has begun since. If that write fails, the caller still gets the
// value; the failure is reported as that of any write.
//
// Callers of one key share the reading of L2 and the loader: it runs once for
// all of them. A caller whose context ends leaves the others with it. The
// loader's context carries the trace of the caller that came first, and ends
// when all callers have left. A caller that comes after a write of the key does
// not share what was begun before it.
//
// A loader says by an error that wraps [backends.ErrNotFound] that there is no
// value, and so does GetOrLoad; see [WithNegativeTTL]. Other errors of a loader,
// and its panics, are returned as a [*LoadError] to all callers that waited for
// it; see [WithStaleIfError]. An empty key, a nil loader or a negative ttl is an
// error that wraps [ErrInvalid].
func (c *Cache[V]) GetOrLoad(
	ctx context.Context, key string, ttl time.Duration, load func(ctx context.Context) (V, error),
) (value V, err error) {
	switch {
	case key == "":
		return value, errEmptyKey()
	case ttl < 0:
		return value, errNegativeTTL(ttl)
	case load == nil:
		return value, fmt.Errorf("%w: the loader is nil", ErrInvalid)
	case c.closed.Load():
		return value, ErrClosed
	}
	var l1 asked
	switch {
	case c.l1Plain:
		value, hit, err := c.l1.value(ctx, key)
		if hit && err == nil {
			c.tel.Count(writepolicy.L1, tracing.LookupHit)
			return value, nil
		}
		c.tel.Count(writepolicy.L1, inVain(err))
		l1 = asked{yes: true, err: err}
	case c.l1Alone:
		var entry backends.Entry[V]
		var hit bool
		if entry, hit, l1 = c.entryOfL1(ctx, key); hit {
			c.refreshIfDue(ctx, key, ttl, entry.ExpiresAt, load)
			return entry.Value, nil
		}
	}
	return c.share(ctx, key, ttl, l1, load)
}

// share waits for the flight of the key, or begins one.
func (c *Cache[V]) share(
	ctx context.Context, key string, ttl time.Duration, l1 asked, load func(ctx context.Context) (V, error),
) (value V, err error) {
	var obs tracing.Read
	ctx = c.tel.StartRead(ctx, &obs, key)
	f, first, err := c.flights.join(c, key, false, obs.SpanContext())
	switch {
	case err != nil:
		obs.Answered(ctx, tracing.Answer{Found: tracing.LookupError}, err)
		return value, err
	case first:
		f.read.obs = obs
		go f.run(ctx, ttl, l1, load)
	default:
		obs.Shared(f.leader)
	}
	select {
	case <-f.done:
		a := f.answer
		if !first {
			a.Refill = tracing.NoRefill // that is told once, by the first
		}
		obs.Answered(ctx, a, f.err)
		return f.value, f.err
	case <-ctx.Done():
		f.leave()
		err := fmt.Errorf("tiercache: get: waiting for the loader: %w", context.Cause(ctx))
		obs.Answered(ctx, tracing.Answer{Found: tracing.LookupError}, err)
		return value, err
	}
}

// refreshIfDue begins a load in the background when a hit has little of its life
// left. It belongs to the caller's trace.
func (c *Cache[V]) refreshIfDue(
	ctx context.Context, key string, ttl time.Duration, end time.Time, load func(ctx context.Context) (V, error),
) {
	if c.refreshAhead == 0 || end.IsZero() {
		return
	}
	life := ttl
	if c.l1TTL > 0 && (ttl == 0 || c.l1TTL < ttl) {
		life = c.l1TTL
	}
	if time.Until(end) >= time.Duration(c.refreshAhead*float64(life)) {
		return
	}
	f, first, err := c.flights.join(c, key, true, trace.SpanContextFromContext(ctx))
	if err != nil {
		return
	}
	if !first {
		f.leave() // somebody loads it already
		return
	}
	go f.runAhead(ctx, ttl, load)
}

// call calls the loader and observes it.
func (f *flight[V]) call(ctx context.Context, load func(ctx context.Context) (V, error)) (value V, err error) {
	var obs tracing.Read
	ctx = f.cache.tel.StartLoad(ctx, &obs, f.key)
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
		if err != nil {
			err = &LoadError{Err: err, text: redact(err.Error(), f.key)}
		}
		obs.Answered(ctx, tracing.Answer{}, err)
	}()
	return load(ctx)
}

// write stores what was loaded, by the write policy and behind the fence.
func (f *flight[V]) write(ctx context.Context, value V, ttl time.Duration) tracing.Refill {
	w := f.cache.newWrite(writepolicy.Set, f.key)
	w.entry.Value = value
	if ttl > 0 {
		w.entry.ExpiresAt = expiry(ttl)
	}
	return w.doFenced(ctx, &f.read.fence)
}

// notFound remembers that there is nothing, unless a write has begun.
func (f *flight[V]) notFound(ctx context.Context) {
	c := f.cache
	if c.negatives == nil || c.turns.AcquireFenced(ctx, &f.read.turn, &f.read.fence, true) != nil {
		return
	}
	c.negatives.add(f.key)
	f.read.turn.Release()
}

// orStale is the result of a load that failed: a value whose life has ended, if
// L1 has kept one, or the error.
func (f *flight[V]) orStale(err error) {
	old := &f.read.l1
	if !old.stale || errors.Is(err, backends.ErrNotFound) {
		f.err = err
		return
	}
	f.value = old.entry.Value
	f.answer = tracing.Answer{
		Found: tracing.LookupStale, Tier: writepolicy.L1, Age: time.Since(old.entry.ExpiresAt),
	}
}
