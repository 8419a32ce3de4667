package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/flight"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// Loader returns the value at a key from its source.
type Loader[V any] func(ctx context.Context, key string) (V, error)

// load is one read of the tiers and, if need be, one call of a loader, for all
// callers that share it.
type load[V any] struct {
	params[V]
	read *read[V]

	result[V]
	err error

	waiter waiter
	link   link // in the context of the flight
}

// params are those of the caller that came first.
type params[V any] struct {
	loader Loader[V]
	ttl    time.Duration
	leader trace.SpanContext
	ahead  bool // a refresh: it does not ask the tiers, so callers that missed must not join it
}

// GetOrLoad returns the value at key, from the tiers or from the loader.
func (e *Engine[V]) GetOrLoad(ctx context.Context, key string, ttl time.Duration, loader Loader[V]) (value V, err error) {
	if err := e.check(key); err != nil {
		return value, err
	}
	var l1 found[V]
	switch e.fast {
	case fastValue:
		value, hit, err := e.lookupValue(ctx, key)
		if hit {
			return value, nil
		}
		l1 = e.missed(key, err)
	case fastEntry:
		l1 = e.lookupL1(ctx, key)
		e.tel.Count(tier.L1, l1.lookup())
		if l1.hit {
			e.refreshIfDue(ctx, key, ttl, l1.entry.ExpiresAt, loader)
			return l1.entry.Value, nil
		}
	}
	return e.share(ctx, key, ttl, l1, loader)
}

// share waits for the flight of the key, or begins one.
func (e *Engine[V]) share(ctx context.Context, key string, ttl time.Duration, l1 found[V], loader Loader[V]) (value V, err error) {
	var obs telemetry.Read
	ctx = e.tel.StartRead(ctx, &obs, key)
	f, first, err := e.join(ctx, key, params[V]{loader: loader, ttl: ttl, leader: obs.SpanContext()})
	if err != nil {
		obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupError}, err)
		return value, err
	}
	if outer := loading(ctx); outer != nil {
		if !outer.wait(&f.Call.waiter) {
			f.Leave()
			obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupError}, errLoading)
			return value, errLoading
		}
		defer outer.done(&f.Call.waiter)
	}
	switch {
	case first:
		r := f.Call.read
		r.obs, r.l1, r.asked = obs, l1, e.fast != fastNone
		f.Run(e.fly(ctx, &f.Call), e.runLoad, e.landed)
	default:
		obs.Shared(f.Call.leader)
	}
	select {
	case <-f.Landed():
	default:
		select {
		case <-f.Landed():
		case <-ctx.Done():
			f.Leave()
			err := fmt.Errorf("tiercache: get: waiting for the loader: %w", context.Cause(ctx))
			obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupError}, err)
			return value, err
		}
	}
	l := &f.Call
	res := l.ReadResult
	if !first {
		res.Refill = tier.NotRefilled // the first caller reports that, once
	}
	obs.Returned(ctx, res, l.err)
	if first && l.err == nil && res.Found == tier.LookupHit && res.Tier == tier.L1 {
		e.refreshIfDue(ctx, key, ttl, l.entry.ExpiresAt, loader)
	}
	return l.entry.Value, l.err
}

// join adds a caller to the flight of the key, or to a new one. A flight whose fence
// is broken may bring back a value that a write has replaced, so those who come after
// that write do not join it. Nor does a hook that the flight itself waits for.
func (e *Engine[V]) join(ctx context.Context, key string, p params[V]) (f *flight.Flight[load[V]], first bool, err error) {
	return e.flights.Join(key,
		func(l *load[V]) bool {
			return !l.read.fence.Broken() && (p.ahead || !l.ahead) && !afterLoader(ctx, &l.waiter)
		},
		func(l *load[V]) error {
			l.params, l.err = p, guard.ErrExited
			l.read = e.newRead(key)
			return l.read.begin()
		})
}

// fly returns the context of a flight.
func (e *Engine[V]) fly(ctx context.Context, l *load[V]) context.Context {
	l.link.Context, l.link.cache, l.link.flight, l.link.apart = ctx, e.locks, &l.waiter, l.ahead //nolint:fatcontext // it is the parent
	return &l.link
}

// landed ends the read of a flight that nobody can join any more.
func (e *Engine[V]) landed(l *load[V]) {
	l.link.over.Store(true)
	l.read.done()
}

// refreshIfDue begins a load in the background when a hit is about to expire. It
// belongs to the caller's trace.
func (e *Engine[V]) refreshIfDue(ctx context.Context, key string, ttl time.Duration, expiresAt time.Time, loader Loader[V]) {
	if !e.lifetime.due(expiresAt, ttl) {
		return
	}
	f, first, err := e.join(ctx, key, params[V]{
		loader: loader, ttl: ttl, leader: trace.SpanContextFromContext(ctx), ahead: true,
	})
	if err != nil {
		return
	}
	if !first {
		f.Leave() // a load is under way already
		return
	}
	f.Run(e.fly(ctx, &f.Call), func(ctx context.Context, l *load[V]) { l.call(ctx, false) }, e.landed)
}

// runLoad reads the tiers and loads a value that they do not have.
func (e *Engine[V]) runLoad(ctx context.Context, l *load[V]) {
	l.Found = tier.LookupError
	if e.negatives.Has(l.read.key) {
		l.Found, l.err = tier.LookupNegative, backends.ErrNotFound
		return
	}
	if l.recheck(ctx) {
		return
	}
	res, err := l.read.run(ctx)
	if res.Found == tier.LookupHit {
		l.result, l.err = res, nil
		return
	}
	l.call(ctx, err == nil)
	if l.err != nil && err != nil { // otherwise the loader has made good for the tiers
		l.err = errors.Join(l.err, err)
	}
}

// recheck asks L1 once more, now that nobody else loads the key: an earlier flight
// may have filled it since. It also finds an entry that L1 keeps as a stale one.
func (l *load[V]) recheck(ctx context.Context) bool {
	r := l.read
	if !r.asked {
		return false // the read asks L1 anyway
	}
	l1 := r.engine.lookupL1(ctx, r.key)
	if l1.err != nil {
		return false
	}
	l1.err, r.l1 = r.l1.err, l1
	if l1.hit {
		l.result, l.err = r.answer(tier.L1, l1.entry), nil
	}
	return l1.hit
}

// call calls the loader. A value that is not found is remembered only if the tiers
// certainly do not have it either.
func (l *load[V]) call(ctx context.Context, missed bool) {
	l.Found = tier.LookupError
	if err := context.Cause(ctx); err != nil {
		l.err = err // all callers have left
		return
	}
	value, err := l.callLoader(ctx)
	switch {
	case errors.Is(err, backends.ErrNotFound):
		if missed {
			l.remember(ctx)
		}
		l.Found, l.err = tier.LookupMiss, err
	case err != nil:
		l.failed(err)
	default:
		l.entry = backends.Entry[V]{Value: value, ExpiresAt: Expiry(l.ttl)}
		w := l.read.engine.newWrite(tier.Set, l.read.key)
		w.entry = l.entry
		l.ReadResult = telemetry.ReadResult{Found: tier.LookupLoad, Refill: w.runFenced(ctx, &l.read.fence)}
		l.err = nil
	}
}

// callLoader calls the loader, observed.
func (l *load[V]) callLoader(ctx context.Context) (value V, err error) {
	var obs telemetry.Read
	ctx = l.read.engine.tel.StartLoad(ctx, &obs, l.read.key)
	err = guard.ErrExited
	defer func() {
		if err != nil {
			text, readable := guard.Readable(err, l.read.key)
			err = &tier.LoadError{Err: readable, Text: text}
			l.err = err // also when the loader has ended the goroutine
		}
		obs.Returned(ctx, telemetry.ReadResult{}, err)
	}()
	return l.guarded(ctx)
}

func (l *load[V]) guarded(ctx context.Context) (value V, err error) {
	defer guard.Catch(&err)
	return l.loader(ctx, l.read.key)
}

// remember notes that there is no value, unless a write has begun.
func (l *load[V]) remember(ctx context.Context) {
	r := l.read
	if r.engine.negatives == nil || r.engine.locks.AcquireRefill(ctx, &r.lock, &r.fence) != nil {
		return
	}
	r.engine.negatives.Add(r.key)
	r.lock.Unlock()
}

// failed makes the result of a load that failed: an expired value, if L1 has kept
// one, or the error.
func (l *load[V]) failed(err error) {
	old := &l.read.l1
	if !old.stale {
		l.err = err
		return
	}
	l.entry, l.err = old.entry, nil
	l.ReadResult = telemetry.ReadResult{
		Found: tier.LookupStale, Tier: tier.L1, Age: time.Since(old.entry.ExpiresAt),
	}
}
