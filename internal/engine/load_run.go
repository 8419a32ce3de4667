package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/flight"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// runRefresh loads although the tiers may have a value.
func (e *Engine[V]) runRefresh(ctx context.Context, f *flight.Flight[load[V]]) {
	l := &f.Call
	l.askFirst(ctx)
	refill := l.call(ctx, f, false)
	refused := refill == tier.RefillSuperseded && e.config.ConditionalLoads // so may the next one be
	if l.err != nil && !errors.Is(l.err, backends.ErrNotFound) || refill == tier.RefillFailed || refill == tier.RefillUnstorable || refused {
		e.failedRefreshes.Add(l.read.key)
	}
}

// runLoad reads the tiers and loads a value that they do not have.
func (e *Engine[V]) runLoad(ctx context.Context, f *flight.Flight[load[V]]) {
	l := &f.Call
	l.Found = tier.LookupError
	if l.recheck(ctx) {
		return
	}
	if l.mode != skipL1 && e.negatives.Has(l.read.key) && !l.read.fence.Broken() && e.trusts() {
		l.Found, l.err = tier.LookupNegative, backends.ErrNotFound
		return
	}
	l.read.versions = e.config.ConditionalLoads
	res, err := l.read.run(ctx)
	if res.found() {
		l.result, l.err = res, nil
		return
	}
	l.call(ctx, f, err == nil && l.mode == 0)
	if l.err != nil && err != nil { // otherwise the loader has made good for the tiers
		l.err = fmt.Errorf("%w; %w", l.err, err)
	}
}

// recheck asks L1 once more, now that nobody else loads the key: an earlier flight
// may have filled it since. It also finds an entry that L1 keeps as a stale one. Where
// the read asks both tiers at once, it looks for a value that a negative would hide.
// It does nothing for a caller who does not want the value of L1.
func (l *load[V]) recheck(ctx context.Context) bool {
	r := l.read
	if l.mode == skipL1 || !r.asked && !r.engine.negatives.Has(r.key) {
		return false // the read asks L1 anyway, or must not
	}
	l1 := r.engine.lookupL1(ctx, r.key)
	if l1.err != nil {
		return false
	}
	l1.err, r.l1 = r.l1.err, l1
	if l1.hit {
		l.result, l.err = answerL1(&l1), nil
	}
	return l1.hit
}

// call calls the loader, and stores its value. Missed says that the tiers certainly do
// not have one.
func (l *load[V]) call(ctx context.Context, f *flight.Flight[load[V]], missed bool) (stored tier.Refilled) {
	l.Found = tier.LookupError
	if err := backends.ContextError(ctx); err != nil {
		l.err = err // all callers have left
		return stored
	}
	l.stage.Store(stageLoading)
	value, err := l.value(ctx)
	switch {
	case errors.Is(err, backends.ErrNotFound):
		l.Found, l.err = tier.LookupMiss, err
		if ctx.Err() == nil { // somebody has waited for it
			l.notFound(ctx, missed)
		}
	case err != nil:
		l.failed(err)
	default:
		stored = l.store(ctx, f, value)
	}
	return stored
}

// store writes the loaded value to the tiers. Callers need not wait for that: whoever
// leaves gets the value.
func (l *load[V]) store(ctx context.Context, f *flight.Flight[load[V]], value V) (stored tier.Refilled) {
	e := l.read.engine
	l.entry = backends.Entry[V]{Value: value}
	if ttl := cmp.Or(l.decided, l.ttl); ttl > 0 {
		l.entry.ExpiresAt = expiry(ttl)
	}
	l.Found, l.err = tier.LookupLoad, nil
	l.stage.Store(stageWriting)
	if e.config.AsyncLoadWrites {
		f.Arrive()
	}
	w := e.newWrite(tier.Set, l.read.key)
	w.entry = l.entry
	l.setCondition(w)
	w.joinBatch(l.member)
	stored = l.write(ctx, w)
	if stored == tier.RefillApplied {
		l.noteTTL()
	}
	if !e.config.AsyncLoadWrites { // otherwise the callers read the result already
		l.Refill = stored
	}
	return stored
}

// write makes a write of the load. It goes on when the callers have left, and ends all
// the same, also where a tier hangs while it stages.
func (l *load[V]) write(ctx context.Context, w *write[V]) tier.Refilled {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.engine.config.BackgroundTimeout)
	defer cancel()
	return w.runFenced(ctx, &l.read.fence)
}

// value calls the loader, or shares the call of another load during the same write.
func (l *load[V]) value(ctx context.Context) (value V, err error) {
	if l.read.fence.Broken() {
		value, l.decided, err = l.shareLoader(ctx)
	} else {
		value, l.decided, err = l.callLoader(ctx, &l.err)
	}
	return value, err
}

// callLoader calls the loader, observed. It stores the error too, for the case that the
// loader ends the goroutine.
func (l *load[V]) callLoader(ctx context.Context, stored *error) (value V, ttl time.Duration, err error) {
	if l.member != nil {
		value, err = l.member.load(ctx, l)
		*stored = err
		return value, 0, err
	}
	var obs telemetry.Load
	ctx = l.read.engine.tel.StartLoad(ctx, &obs, l.read.key)
	err = guard.ErrExited
	defer func() {
		if err != nil {
			text, readable := guard.Readable(err, l.read.key)
			err = &tier.LoadError{Err: readable, Text: text}
			*stored = err
		}
		obs.Returned(ctx, err)
	}()
	return l.guarded(ctx)
}

func (l *load[V]) guarded(ctx context.Context) (value V, ttl time.Duration, err error) {
	defer guard.Catch(&err)
	c := &loaderContext{Context: ctx}
	value, err = l.loader(c, l.read.key) //nolint:contextcheck // c is a context made of ctx
	ttl, ttlErr := c.end()
	if err == nil {
		return value, ttl, ttlErr
	}
	if notFound := l.read.engine.config.NotFound; notFound != nil && notFound(err) {
		err = fmt.Errorf("%w: %w", backends.ErrNotFound, err)
	}
	return value, 0, err
}

// notFound acts on a loader's word that there is no value, unless a write has begun since.
// An expired copy in L1 must not come back when the loader fails the next time; a refresh
// has found that the tiers hold a value that is no more.
func (l *load[V]) notFound(ctx context.Context, missed bool) {
	r := l.read
	e := r.engine
	if l.refreshes() {
		w := e.newWrite(tier.Delete, r.key)
		l.setCondition(w)
		missed = l.write(ctx, w) == tier.RefillApplied
	}
	if (e.negatives == nil || !missed) && !r.l1.stale || e.locks.AcquireRefill(r.member.pausing(ctx), &r.lock, &r.fence) != nil {
		return
	}
	defer r.lock.Unlock()
	if r.l1.stale {
		_ = e.l1.Delete(ctx, r.key) // it has expired, so nobody is wrong about it
	}
	if missed {
		r.remember()
	}
	r.settle(ctx)
}

// remember notes that there is no value, if the read has begun in sync with the changes of
// other processes.
func (r *read[V]) remember() {
	e := r.engine
	if e.co != nil && r.epoch == 0 {
		return
	}
	e.negatives.Add(r.key)
	if r.fence.Broken() { // by another process, which may have written a value since
		e.negatives.Drop(r.key)
	}
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
	l.ReadResult = staleResult(old)
}
