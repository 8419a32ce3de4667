package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// keptNote says that L1 has a loaded value of a key that L2 did not take.
type keptNote struct {
	writing bool // the write that puts the value into L1 has not ended
}

// proceedLoaded is proceed for a loaded value.
func (w *write[V]) proceedLoaded(ctx context.Context) (err error) {
	e := w.engine
	if e.config.KeepLoaded == 0 {
		return w.proceed(w.prepare(ctx))
	}
	ctx = w.prepare(ctx)
	policyErr := guard.ErrExited
	defer func() { err = w.conclude(ctx, policyErr) }()
	policyErr = w.callPolicy(ctx)
	w.keep(ctx)
	return nil
}

// keep puts the value into L1 if neither tier has it, for a short time, as a part of the
// same write: so its verdict is that of the tiers as they are then. The note comes first:
// no reader finds the value without it. Where there is no room for a note, L1 does not
// get the value.
func (w *write[V]) keep(ctx context.Context) {
	e, key := w.engine, w.op.Key
	if w.op.Kind != tier.Set || !w.unstored() {
		return
	}
	w.l1Entry.ExpiresAt = e.lifetime.kept(w.entry.ExpiresAt, e.config.KeepLoaded)
	staged, err := w.l1.tier.Stage(ctx, key, w.l1Entry)
	if err != nil {
		return
	}
	w.l1.staged = staged
	if e.kept.put(key, keptNote{writing: true}, time.Now().Add(e.config.KeepLoaded)) {
		_ = w.l1.Write(ctx) // the tally has its outcome
	}
}

// unstored reports whether neither tier has the value, and L2 has nothing newer.
func (w *write[V]) unstored() bool {
	w.inflight.lock()
	defer w.inflight.unlock()
	l1, l2 := w.tally.Possible(tier.L1).Final, w.tally.Possible(tier.L2).Final
	return w.inflight.calls() == 0 && l1&tier.After == 0 && l2 != tier.After && l2&tier.Newer == 0
}

// keptEnded is told of the end of every write. A note goes when L1 certainly has another
// state; as long as nobody knows, it stays.
func (e *Engine[V]) keptEnded(op writepolicy.Op, results *tier.Pair[tier.Result]) {
	n, ok := e.kept.get(op.Key)
	l1 := &results.L1
	switch {
	case !ok:
	case n.remark.writing && l1.Outcome != tier.Failed && l1.Outcome != tier.Skipped:
		e.kept.put(op.Key, keptNote{}, n.until)
	case n.remark.writing, l1.Outcome == tier.Applied, l1.Compensation == tier.Applied:
		e.kept.drop(op.Key)
	}
}

// markKept completes an answer of L1. If L1 still has the value after its time, because
// the clock was set, it is no hit.
func (e *Engine[V]) markKept(key string, f *found[V]) {
	if n, ok := e.kept.get(key); ok && f.hit {
		f.kept = !n.past()
		f.hit, f.stale = f.kept, !f.kept && e.config.StaleIfError > 0
	}
}

// countHit counts a hit in L1 of a read that was not set up.
func (e *Engine[V]) countHit(f *found[V]) {
	if f.kept {
		e.tel.CountKept()
	} else {
		e.tel.CountHit()
	}
}

// ttlOf returns the TTL of which a refresh ahead takes a part.
func (e *Engine[V]) ttlOf(kept bool, ttl time.Duration) time.Duration {
	if kept && (ttl == 0 || e.config.KeepLoaded < ttl) {
		return e.config.KeepLoaded
	}
	return ttl
}
