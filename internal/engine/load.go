package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
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

	// stage is the step that the load has come to. The result is there from
	// stageWriting on, and from the arrival of the flight.
	stage atomic.Int32
	result[V]
	err error

	waiter waiter
	link   link // in the context of the flight

	background atomic.Pointer[func()] // ends the stay of the caller that nobody waits in
}

// The stages of a load, which the error of a cancelled caller names.
const (
	stageReading int32 = iota
	stageLoading
	stageWriting
)

func (l *load[V]) stageName() string {
	return [...]string{"reading the tiers", "loading", "writing the loaded value"}[l.stage.Load()]
}

// params are those of the caller that came first.
type params[V any] struct {
	loader Loader[V]
	ttl    time.Duration
	leader trace.SpanContext
	mode   readMode
	ahead  bool // a refresh that no caller waits for
}

// refreshes reports whether the load does not ask the tiers.
func (p *params[V]) refreshes() bool { return p.ahead || p.mode == refresh }

// mayJoin reports whether a caller may get the result of the load l. Those who missed
// must not get that of a refresh, which fails although a tier may have a value. One who
// refreshes in the background only asks whether anybody loads.
func (p *params[V]) mayJoin(l *params[V]) bool {
	switch {
	case p.ahead:
		return true
	case p.mode == refresh:
		return l.refreshes()
	default:
		return !l.ahead && l.mode == p.mode
	}
}

// GetOrLoad returns the value at key, from the tiers or from the loader.
func (e *Engine[V]) GetOrLoad(ctx context.Context, key string, ttl time.Duration, loader Loader[V], opts []ReadOption) (value V, err error) {
	if e.fast != fastValue || len(opts) > 0 || e.checkLoad(key, ttl, loader) != nil {
		return e.getOrLoad(ctx, key, ttl, loader, opts)
	}
	value, hit, err := e.lookupValue(ctx, key)
	if hit && err == nil {
		e.tel.CountHit()
		return value, nil
	}
	return e.loadBeyond(ctx, key, ttl, loader, err)
}

// loadBeyond is apart from GetOrLoad, whose frame stays small (budget GetOrLoad/hit=l1).
func (e *Engine[V]) loadBeyond(ctx context.Context, key string, ttl time.Duration, loader Loader[V], l1Err error) (value V, err error) {
	return e.share(ctx, key, params[V]{loader: loader, ttl: ttl}, e.missed(key, l1Err))
}

// getOrLoad is GetOrLoad where more than the value of L1 is wanted.
func (e *Engine[V]) getOrLoad(ctx context.Context, key string, ttl time.Duration, loader Loader[V], opts []ReadOption) (value V, err error) {
	if err := e.checkLoad(key, ttl, loader); err != nil {
		return value, err
	}
	mode, err := modeOf(opts)
	if err != nil {
		return value, err
	}
	var l1 found[V]
	var obs telemetry.Read
	if e.asksL1First(mode) {
		l1 = e.lookupL1(ctx, key)
		if l1.hit {
			e.tel.CountHit()
			e.refreshIfDue(ctx, key, ttl, l1.entry.ExpiresAt, loader)
			return l1.entry.Value, nil
		}
		e.tel.Count(tier.L1, l1.lookup())
		if e.servesStale(&l1) {
			return e.endWithout(e.tel.StartRead(ctx, &obs, key), &obs, &l1, nil)
		}
	}
	return e.share(ctx, key, params[V]{loader: loader, ttl: ttl, mode: mode}, l1)
}

// asksL1First reports whether a load asks L1 before it is set up.
func (e *Engine[V]) asksL1First(mode readMode) bool {
	return e.fast != fastNone && mode != skipL1 && mode != refresh
}

// checkLoad returns the error of a load that cannot begin.
func (e *Engine[V]) checkLoad(key string, ttl time.Duration, loader Loader[V]) error {
	switch {
	case ttl < 0:
		return NegativeTTLError(ttl)
	case loader == nil:
		return errNilLoader
	default:
		return e.check(key)
	}
}

// share waits for the flight of the key, or begins one.
func (e *Engine[V]) share(ctx context.Context, key string, p params[V], l1 found[V]) (value V, err error) {
	var obs telemetry.Read
	ctx = e.tel.StartRead(ctx, &obs, key)
	p.leader = obs.SpanContext()
	f, first, err := e.join(ctx, key, p)
	if err != nil {
		return e.endWithout(ctx, &obs, &l1, err)
	}
	if outer := loading(ctx); outer != nil {
		if !outer.wait(&f.Call.waiter) {
			f.Leave(errLoading)
			return e.endWithout(ctx, &obs, &found[V]{}, errLoading)
		}
		defer outer.done(&f.Call.waiter)
	}
	if first {
		r := f.Call.read
		r.obs, r.l1, r.asked, r.mode = obs, l1, e.asksL1First(p.mode), p.mode
		run := e.runLoad
		if p.mode == refresh {
			run = e.runRefresh
		}
		f.Run(e.fly(ctx, &f.Call), run, e.landed)
	} else {
		obs.Shared(f.Call.leader)
	}
	if !e.await(ctx, f, &l1) {
		return e.leave(ctx, f, &obs, &l1)
	}
	l := &f.Call
	res := l.ReadResult
	if !first {
		res.Refill = tier.NotRefilled // the first caller reports that, once
		res.Shared = true
	}
	obs.Returned(ctx, res, l.err)
	if first && res.Found == tier.LookupHit {
		e.refreshIfDue(ctx, key, p.ttl, l.entry.ExpiresAt, p.loader)
	}
	return l.entry.Value, l.err
}

// await waits for the result. It reports false when the caller's context ends before,
// or when there is a stale value and the load takes too long.
func (e *Engine[V]) await(ctx context.Context, f *flight.Flight[load[V]], l1 *found[V]) bool {
	select {
	case <-f.Arrived(): // also if the context has ended at the same moment
		return true
	default:
	}
	var soft <-chan time.Time
	if e.config.SoftTimeout > 0 && l1.stale {
		timer := time.NewTimer(e.config.SoftTimeout)
		defer timer.Stop()
		soft = timer.C
	}
	select {
	case <-f.Arrived():
		return true
	case <-ctx.Done():
		return false
	case <-soft:
		return false
	}
}

// leave ends the wait of a caller. It gets the value that is at hand: the loaded one, on
// its way to the tiers, or a stale one.
func (e *Engine[V]) leave(ctx context.Context, f *flight.Flight[load[V]], obs *telemetry.Read, l1 *found[V]) (value V, err error) {
	l := &f.Call
	err = backends.ContextError(ctx)
	if err != nil || !e.keepInBackground(f) { //nolint:contextcheck // the load outlives its caller
		f.Leave(err)
	}
	if l.stage.Load() == stageWriting {
		obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupLoad}, nil)
		return l.entry.Value, nil
	}
	if err != nil {
		err = fmt.Errorf("tiercache: get: %s: %w", l.stageName(), guard.WithoutKey(err, l.read.key))
	}
	return e.endWithout(ctx, obs, l1, err)
}

// endWithout returns a stale value, if there is one, or the error.
func (e *Engine[V]) endWithout(ctx context.Context, obs *telemetry.Read, l1 *found[V], err error) (value V, _ error) {
	if l1.stale {
		obs.Returned(ctx, e.staleResult(l1), nil)
		return l1.entry.Value, nil
	}
	obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupError}, err)
	return value, err
}

func (e *Engine[V]) staleResult(l1 *found[V]) telemetry.ReadResult {
	if l1.suspect != coherence.NotSuspect {
		return e.suspectResult()
	}
	return telemetry.ReadResult{Found: tier.LookupStale, Tier: tier.L1, Age: time.Since(l1.entry.ExpiresAt)}
}

// join adds a caller to the flight of the key, or to a new one. A flight whose fence
// is broken may bring back a value that a write has replaced, so those who come after
// that write do not join it. Nor does a hook that the flight itself waits for.
func (e *Engine[V]) join(ctx context.Context, key string, p params[V]) (f *flight.Flight[load[V]], first bool, err error) {
	return e.flights.Join(ctx, key,
		func(l *load[V]) bool {
			return !l.read.fence.Broken() && p.mayJoin(&l.params) && !afterLoader(ctx, &l.waiter)
		},
		func(l *load[V]) error {
			if limit := int64(e.config.MaxLoads); e.loads.Add(1) > limit && limit > 0 {
				e.loads.Add(-1)
				return tier.ErrOverloaded
			}
			l.params, l.err = p, guard.ErrExited
			l.read = e.newRead(key)
			if err := l.read.begin(); err != nil {
				e.loads.Add(-1)
				return err
			}
			e.tel.LoadActive(1)
			return nil
		})
}

// fly returns the context of a flight.
func (e *Engine[V]) fly(ctx context.Context, l *load[V]) context.Context {
	l.link.Context, l.link.cache, l.link.flight, l.link.apart = ctx, e.locks, &l.waiter, l.ahead //nolint:fatcontext // it is the parent
	return &l.link
}

// landed ends the read of a flight that nobody can join any more.
func (e *Engine[V]) landed(f *flight.Flight[load[V]]) {
	l := &f.Call
	if end := l.background.Load(); end != nil {
		(*end)()
	}
	e.loads.Add(-1)
	e.tel.LoadActive(-1)
	l.link.over.Store(true)
	l.read.done()
}

// keepInBackground keeps a caller in the flight although it has left, until the timeout
// of loads that nobody waits for, or until Close. It reports false when another caller
// is kept already.
func (e *Engine[V]) keepInBackground(f *flight.Flight[load[V]]) bool {
	ctx, cancel := context.WithTimeout(e.life, e.config.BackgroundTimeout)
	stop := context.AfterFunc(ctx, func() { f.Leave(backends.ContextError(ctx)) })
	end := func() {
		stop()
		cancel()
	}
	if !f.Call.background.CompareAndSwap(nil, &end) {
		end()
		return false
	}
	select {
	case <-f.Arrived(): // it may have landed without seeing this
		end()
	default:
	}
	return true
}

// refreshIfDue begins a load in the background when a hit is about to expire. It
// belongs to the caller's trace. One that has failed is not repeated at once.
func (e *Engine[V]) refreshIfDue(ctx context.Context, key string, ttl time.Duration, expiresAt time.Time, loader Loader[V]) {
	if !e.lifetime.due(expiresAt, ttl) || e.failedRefreshes.Has(key) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.BackgroundTimeout)
	defer cancel() // only the deadline is wanted: the flight's context is another
	f, first, err := e.join(ctx, key, params[V]{
		loader: loader, ttl: ttl, leader: trace.SpanContextFromContext(ctx), ahead: true,
	})
	if err != nil {
		return
	}
	if !first {
		f.Leave(context.Canceled) // a load is under way already
		return
	}
	e.keepInBackground(f) //nolint:contextcheck // the refresh outlives its caller
	f.Run(e.fly(ctx, &f.Call), e.runRefresh, e.landed)
}
