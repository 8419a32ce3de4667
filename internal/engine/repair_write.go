package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// origin is all that a repair needs to know of a write.
type origin struct {
	operation  uint64
	base       backends.Version // the greatest one that was known before the write began
	generation uint64           // of the ledger, before that
	until      time.Time        // no request of L2 has an effect after it
	loose      bool             // a request of L2 had no deadline
	told       bool             // the ledger knows of the end of the write
}

// began is called when a write has its key's lock, before it touches a tier.
func (p *repairs[V]) began(w *write[V]) {
	if p.watcher == nil {
		return
	}
	w.origin.operation = p.engine.co.machine.Operation()
	w.origin.generation = p.ledger.Generation()
	w.origin.base = p.seen(w.op.Key)
}

func (p *repairs[V]) seen(key string) (v backends.Version) {
	defer guard.Report()
	return p.watcher.Seen(key)
}

// limit gives a write the deadline that L2 enforces, and takes note of it.
func (p *repairs[V]) limit(w *write[V], to *backends.Write[V]) {
	before, until := p.deadline()
	to.Before = before
	w.inflight.lock()
	defer w.inflight.unlock()
	w.origin.loose = w.origin.loose || before.IsZero()
	if until.After(w.origin.until) {
		w.origin.until = until
	}
}

// deadline returns the instant, by L2's clock, after which L2 refuses a write that begins
// now, and the one, by this process's clock, after which L2 certainly does. The first is
// zero if little is known of L2's clock: then nothing is certain.
//
// A write in time must not be refused because the clock was misjudged, so the deadline is
// later than the timeout by that error, and by the margin at least.
func (p *repairs[V]) deadline() (before, until time.Time) {
	now, within, ok := p.storeTime()
	if !ok || within < 0 || within > p.timeout {
		return time.Time{}, time.Now().Add(2 * p.timeout)
	}
	slack := p.timeout + max(margin, within)
	return now.Add(slack), time.Now().Add(slack + within + margin)
}

func (p *repairs[V]) storeTime() (now time.Time, within time.Duration, ok bool) {
	defer guard.Report()
	if p.clock == nil {
		return now, 0, false
	}
	return p.clock.StoreTime()
}

// observe is the observer that feeds the ledger. It is called at the end of a write, with
// the key's lock, when L1 has its last state.
func (p *repairs[V]) observe(ctx context.Context, w *write[V], verdict tier.Verdict) {
	open := false
	if p.ledger.Len() > 0 {
		_, open = p.ledger.Get(w.op.Key)
	}
	if verdict.Consistent && !open && w.tally.Applied() {
		return // the usual end
	}
	l1, l2 := w.tally.Possible(tier.L1), w.tally.Possible(tier.L2)
	cause, diverged := p.causeOf(w, l1, l2, verdict)
	e := p.entryOf(w, l1, l2)
	e.Cause = cause
	switch {
	case diverged:
		e.Landed = open && l2.Final == tier.After
		p.diverged(ctx, w, e, l1)
	case open && l2.Final == tier.After:
		e.Landed = true
		p.ledger.Renew(e)
		p.poke()
	case open: // the write has changed nothing in L2
		p.ledger.Change(w.op.Key, func(old *ledger.Entry) { old.Held = old.Held && l1.Final == tier.Before })
	}
}

// causeOf decides whether the tiers are to be repaired after a write.
func (p *repairs[V]) causeOf(w *write[V], l1, l2 tier.Possible, v tier.Verdict) (cause ledger.Cause, diverged bool) {
	set := w.op.Kind == tier.Set
	lacks := l2.Final&(tier.After|tier.Newer) == 0
	switch {
	case !lacks && (l2.Final&(l2.Final-1) != 0 || l2.Pending):
		return ledger.Unknown, !v.Agreed()
	case !lacks: // L2 has it, or something newer
		return ledger.Stale, !v.Agreed()
	case w.conditional(): // the caller decides what is to be done
		return ledger.Stale, !v.Agreed()
	case !set:
		return ledger.Kept, true
	case l1.Final == tier.After:
		return ledger.Missing, true
	default:
		return ledger.NoTier, true
	}
}

// conditional reports whether the write is one that L2 decides by what is there.
func (w *write[V]) conditional() bool { return w.when.cond.Test != backends.TestAlways }

// entryOf returns the entry of a write.
func (p *repairs[V]) entryOf(w *write[V], l1, l2 tier.Possible) *ledger.Entry {
	now := time.Now()
	o := &w.origin
	e := &ledger.Entry{
		Key: w.op.Key, Kind: w.op.Kind, Operation: o.operation, Base: o.base, Generation: o.generation,
		Source: w.when.source, ExpiresAt: w.entry.ExpiresAt, Decided: w.conditional(),
		Held:   w.op.Kind == tier.Set && l1.Final == tier.After,
		Fenced: !o.loose, Until: now, Since: now,
	}
	if p.watcher != nil {
		e.Note = ledger.MakeNote(telemetry.Note(w.spanContext()))
	}
	if l2.Pending { // its answer was not that of L2
		e.Until = o.until
		if o.until.IsZero() {
			e.Until, e.Fenced = now.Add(2*p.timeout), false
		}
	}
	return e
}

// diverged opens an event. L1 drops its copy now, unless it is the value of the write,
// which the repair may need.
func (p *repairs[V]) diverged(ctx context.Context, w *write[V], e *ledger.Entry, l1 tier.Possible) {
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	dropped := p.dropCopy(ctx, w, e, l1)
	if !dropped && !e.Held { // it still has what is older
		p.distrust()
		if p.watcher == nil {
			e.Cause = ledger.Stale
		}
	}
	now := time.Now()
	if dropped && e.Until.Compare(e.Since) <= 0 && (p.watcher == nil || e.Cause == ledger.Stale) {
		p.openAndClose(ctx, e, now)
		return
	}
	p.open(ctx, e, now)
	p.poke()
}

// dropCopy reports whether L1 has no copy, and drops one that the repair does not need.
func (p *repairs[V]) dropCopy(ctx context.Context, w *write[V], e *ledger.Entry, l1 tier.Possible) (dropped bool) {
	switch {
	case l1.Final == tier.Absent, w.op.Kind == tier.Delete && l1.Final == tier.After:
		return true // it had none
	case e.Held && !p.drops:
		return false
	}
	dropped = p.engine.l1.Delete(ctx, w.op.Key) == nil
	e.Held = false
	return dropped
}

// open adds the event to the ledger, in the place of an older one of the key. If there is
// no room, L1 drops its copy, and the event ends.
func (p *repairs[V]) open(ctx context.Context, e *ledger.Entry, now time.Time) {
	replaced, was, kept := p.ledger.Open(e)
	switch {
	case was:
		p.engine.tel.Repairs().Resolved(ctx, &replaced, ledger.Superseded, now)
	case !kept:
		if e.Held && p.engine.l1.Delete(ctx, e.Key) != nil {
			p.distrust()
		}
		p.engine.tel.Repairs().Resolved(ctx, e, ledger.Dropped, now)
	}
}

// openAndClose notes an event that ended when it began. A key that is open stays so.
func (p *repairs[V]) openAndClose(ctx context.Context, e *ledger.Entry, now time.Time) {
	p.ledger.Pass(e.Cause, ledger.Dropped)
	if e.Landed {
		p.ledger.Renew(e)
	} else {
		p.ledger.Change(e.Key, func(old *ledger.Entry) { old.Held = false })
	}
	p.engine.tel.Repairs().Resolved(ctx, e, ledger.Dropped, now)
}

// distrust is called when L1 did not drop a copy that may be stale.
func (p *repairs[V]) distrust() {
	if co := p.engine.co; co != nil {
		co.machine.Fail()
	}
}
