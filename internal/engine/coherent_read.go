package engine

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// getStamped is Get where a hit in L1 must be fresh. It is one reading of the clock more
// than a hit without coherence.
func (e *Engine[V]) getStamped(ctx context.Context, key string) (value V, ok bool, err error) {
	if epoch := e.co.machine.Trusted(); epoch != 0 { // before L1 is asked
		if value, ok, err = e.l1.Fresh(ctx, key, epoch); ok && err == nil {
			e.tel.CountHit()
			return value, true, nil
		}
	}
	return e.getUnproven(ctx, key)
}

// getUnproven is apart from getStamped, whose frame stays small. It asks L1 once more, for
// the whole entry.
func (e *Engine[V]) getUnproven(ctx context.Context, key string) (value V, ok bool, err error) {
	res, err := e.read(ctx, key, nil, false)
	return res.entry.Value, res.found(), err
}

// lookupStamped is lookupL1 with coherence. An entry that is not known to be fresh is no
// hit; it may take the place of an error, as an expired one.
func (e *Engine[V]) lookupStamped(ctx context.Context, key string) (f found[V]) {
	epoch := e.co.machine.Trusted() // before L1 is asked
	entry, stamp, ok, err := e.l1.GetStamped(ctx, key)
	if err != nil {
		return found[V]{err: e.l1.GetError(key, err)}
	}
	if !ok {
		return found[V]{}
	}
	f = found[V]{entry: entry, stamp: stamp}
	if f.hit = e.lifetime.admit(&f.entry.ExpiresAt); !f.hit {
		f.stale = true
		return f
	}
	e.judge(key, &f, epoch)
	return f
}

// judge finds out whether an entry that has not expired is known to be fresh.
func (e *Engine[V]) judge(key string, f *found[V], epoch uint32) {
	f.suspect = coherence.Judge(&f.stamp, epoch)
	if f.suspect != coherence.OldEpoch {
		e.markKept(key, f)
		if f.kept {
			f.suspect = coherence.NotSuspect // it is flagged as kept
		}
	}
	if f.suspect != coherence.NotSuspect {
		f.hit, f.stale = false, e.co.serveStale || e.lifetime.staleFor > 0
	}
}

// servesStale reports whether a read gets the entry of L1, flagged, without asking L2:
// nobody knows whether it is fresh, and L2 may not be reached either.
func (e *Engine[V]) servesStale(l1 *found[V]) bool {
	return l1.suspect == coherence.Untrusted && e.co.serveStale
}

// servesSuspect reports whether a read gets it when L2 has failed, or is not to be asked.
func (e *Engine[V]) servesSuspect(l1 *found[V]) bool {
	return l1.suspect != coherence.NotSuspect && e.co.serveStale
}

// trusts reports whether memories of the past are of use: they have no stamps.
func (e *Engine[V]) trusts() bool { return e.co == nil || e.co.machine.Trusted() != 0 }

// askCoherent asks L2 for the entry, unless it still has the version of L1's: then no
// value is moved, and L1's entry is the answer.
func (r *read[V]) askCoherent(ctx context.Context) (f found[V]) {
	e := r.engine
	var have backends.Version
	if !e.reads.Concurrent && r.l1.suspect != coherence.NotSuspect { // otherwise L1 is being asked
		have = e.co.machine.Have(&r.l1.stamp)
	}
	entry, answer, err := e.l2.GetIf(ctx, r.key, have)
	if err != nil {
		return found[V]{err: err}
	}
	f.origin = &answer
	switch {
	case answer.Found == backends.Unchanged && have != 0:
		f.entry, f.hit, f.unchanged = r.l1.entry, true, true
	case answer.Found == backends.Hit:
		f.entry, f.hit = entry, true
	}
	return f
}

// askL2 asks L2 for one key of a batch.
func (e *Engine[V]) askL2(ctx context.Context, key string) (f found[V]) {
	if e.co == nil && !e.config.ConditionalLoads {
		f.entry, f.hit, f.err = e.l2.Get(ctx, key)
		return f
	}
	var answer backends.Answer
	f.entry, answer, f.err = e.l2.GetIf(ctx, key, 0)
	f.hit, f.origin = answer.Found == backends.Hit, &answer
	return f
}

// staleValue returns the value of L1 that a batch of reads gets, flagged in telemetry.
func (b *batch[V]) staleValue(ctx context.Context, l1 *found[V]) V {
	var obs telemetry.Read
	b.engine.tel.StartMemberRead(&obs)
	obs.Returned(ctx, suspectResult(), nil)
	return l1.entry.Value
}

// dropSuspect removes an entry of L1 that L2 does not have any more.
func (r *read[V]) dropSuspect(ctx context.Context) {
	e := r.engine
	if e.holds(ctx, r.key) || e.locks.AcquireRefill(ctx, &r.lock, &r.fence) != nil {
		return // somebody else stores something
	}
	defer r.lock.Unlock()
	held, link := e.hold(ctx, r.key)
	defer link.over.Store(true)
	_ = e.l1.Delete(held, r.key) // it stays suspect
	r.settle(held)
}

// settle compares the changes of other processes that the holder of the key's lock was
// told of. It stores nothing.
func (r *read[V]) settle(ctx context.Context) {
	if co := r.engine.co; co != nil {
		_, _ = co.machine.Store(&r.lock, 0, &stored[V]{read: r, ctx: ctx})
	}
}

// suspectResult is the result of a read that gets an entry which is not known to be
// fresh.
func suspectResult() telemetry.ReadResult {
	return telemetry.ReadResult{Found: tier.LookupStale, Tier: tier.L1, Suspect: true}
}
