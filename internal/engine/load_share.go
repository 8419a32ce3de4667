package engine

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/flight"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// share waits for the flight of the key, or begins one.
func (e *Engine[V]) share(ctx context.Context, key string, p params[V], l1 found[V]) (value V, err error) {
	var obs telemetry.Read
	ctx = e.startLoad(ctx, &obs, key, &p)
	if e.servesStale(&l1) { // it needs no flight
		p.member.leave()
		return e.endWithout(ctx, &obs, &l1, nil)
	}
	f, first, err := e.join(ctx, key, p)
	if !first {
		p.member.leave() // it waits for another caller, or has failed
	}
	if err != nil {
		e.askLate(ctx, key, p.mode, &l1, err)
		return e.endWithout(ctx, &obs, &l1, err)
	}
	outer := loading(ctx)
	if !outer.wait(&f.Call.waiter) {
		f.Leave(errLoading)
		return e.endWithout(ctx, &obs, &found[V]{}, errLoading)
	}
	defer outer.done(&f.Call.waiter)
	if first {
		e.takeOff(ctx, f, &obs, l1)
	} else {
		obs.Shared(f.Call.leader)
	}
	if !e.await(ctx, f, p.mode, &l1) {
		return e.leave(ctx, f, p.mode, &obs, &l1)
	}
	return e.arrive(ctx, f, &obs, first)
}

// startLoad begins to observe the read of one caller.
func (e *Engine[V]) startLoad(ctx context.Context, obs *telemetry.Read, key string, p *params[V]) context.Context {
	if p.member != nil {
		e.tel.StartMemberRead(obs)
		p.leader = trace.SpanContextFromContext(ctx)
		return ctx
	}
	ctx = e.tel.StartRead(ctx, obs, key)
	p.leader = obs.SpanContext()
	return ctx
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
			if !e.countLoad(p.member) {
				return tier.ErrOverloaded
			}
			l.params, l.err = p, guard.ErrExited
			l.read = e.newRead(key)
			if err := l.read.begin(); err != nil {
				e.uncountLoad(p.member)
				return err
			}
			e.tel.LoadActive(1)
			return nil
		})
}

// takeOff starts a flight for its first caller.
func (e *Engine[V]) takeOff(ctx context.Context, f *flight.Flight[load[V]], obs *telemetry.Read, l1 found[V]) {
	l := &f.Call
	r := l.read
	r.obs.Continue(obs)
	r.l1, r.asked, r.mode, r.member = l1, e.asksL1First(l.mode), l.mode, l.member
	if l.member != nil {
		l.member.waiter = &l.waiter
		l.member.part.flights.Add(1)
	}
	run := e.runLoad
	if l.mode == refresh {
		run = e.runRefresh
	}
	f.Run(e.fly(ctx, l), run, e.landed)
}

// fly returns the context of a flight.
func (e *Engine[V]) fly(ctx context.Context, l *load[V]) context.Context {
	l.link.Context, l.link.cache, l.link.flight, l.link.apart = ctx, e.locks, &l.waiter, l.ahead //nolint:fatcontext // it is the parent
	return &l.link
}

// arrive returns the result of a flight to one caller.
func (e *Engine[V]) arrive(ctx context.Context, f *flight.Flight[load[V]], obs *telemetry.Read, first bool) (value V, err error) {
	l := &f.Call
	res := l.ReadResult
	if !first {
		res.Refill = tier.NotRefilled // the first caller reports that, once
		res.Shared = true
	}
	obs.Returned(ctx, res, l.err)
	if first && res.Found == tier.LookupHit {
		e.refreshIfDue(ctx, l.read.key, e.ttlOf(res.Kept, l.ttl), l.entry.ExpiresAt, l.loader)
	}
	return l.entry.Value, l.err
}

// landed ends the read of a flight that nobody can join any more.
func (e *Engine[V]) landed(f *flight.Flight[load[V]]) {
	l := &f.Call
	if end := l.background.Load(); end != nil {
		(*end)()
	}
	e.uncountLoad(l.member)
	e.tel.LoadActive(-1)
	l.link.over.Store(true)
	l.read.done()
	if l.member != nil {
		l.member.Leave()
		l.member.part.ended()
	}
}
