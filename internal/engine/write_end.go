package engine

import (
	"context"

	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// conclude turns the policy's result into the write's, and finishes the write unless
// a call of a tier goes on.
func (w *write[V]) conclude(ctx context.Context, policyErr error) error {
	if policyErr == nil && !w.inflight.async && w.tally.Applied() {
		// The usual end, of which the rest is the long form (budget Set).
		if w.engine.observed {
			w.succeed(ctx)
		} else {
			w.finish(ctx, nil, tier.Verdict{Consistent: true})
		}
		return nil
	}
	return w.concludeAny(ctx, policyErr)
}

// succeed is the usual end with telemetry.
func (w *write[V]) succeed(ctx context.Context) {
	defer w.finish(ctx, nil, tier.Verdict{Consistent: true})
	w.obs.Returned(ctx, tier.Applied, tier.Applied, true, nil)
}

func (w *write[V]) concludeAny(ctx context.Context, policyErr error) error {
	if id := w.call.id; id != 0 { // the tier has ended the goroutine
		kind := w.l1.kind(w.call.verb)
		w.tally.End(id, w.call.verb, w.call.began, tier.Unknown, exited(id, kind, w.op.Key, tier.Unknown))
		w.call.id = 0
	}
	if w.op.Kind == tier.Delete {
		w.inflight.settle() // whether a copy is left is not known before
	}
	w.inflight.lock()
	w.inflight.returned = true
	open, verdict := w.inflight.calls(), w.tally.Verdict()
	l1, l2 := w.outcome(tier.L1), w.outcome(tier.L2)
	err := w.errorOf(policyErr)
	w.inflight.concluding = w.engine.observed
	if w.member != nil {
		w.member.batch.obs.Detached(w.inflight.open)
	}
	w.inflight.unlock()
	switch {
	case w.engine.observed:
		w.observeReturn(ctx, l1, l2, verdict, open, err)
	case open == 0: // otherwise w belongs to the last call, and may be gone
		w.finish(ctx, nil, verdict)
	}
	return err
}

// observeReturn is the rest of a return with telemetry. The lock of the write is free
// meanwhile, because telemetry may wait for a call that goes on. No such call finishes
// the write before concluded.
func (w *write[V]) observeReturn(ctx context.Context, l1, l2 tier.Outcome, verdict tier.Verdict, open int, err error) {
	defer w.concluded(ctx, open)
	if open > 0 {
		defer w.engine.tel.Detached(open)
	}
	w.obs.Returned(ctx, l1, l2, verdict.Agreed(), err)
}

// concluded finishes the write unless a call of a tier goes on. Open is how many did
// when it returned.
func (w *write[V]) concluded(ctx context.Context, open int) {
	span := w.obs.Span()
	w.inflight.lock()
	w.inflight.concluding = false
	last, verdict := w.inflight.calls() == 0, w.tally.Verdict()
	w.inflight.unlock()
	if !last { // w belongs to the last call, and may be gone
		span.End()
		return
	}
	defer w.finish(ctx, nil, verdict)
	if open > 0 {
		w.obs.Settled(w.outcome(tier.L1), w.outcome(tier.L2), verdict.Agreed())
	}
}

// outcome returns that of a tier at the time of the return.
func (w *write[V]) outcome(id tier.ID) tier.Outcome {
	if *w.inflight.open.At(id) > 0 {
		return telemetry.InFlight
	}
	return w.tally.Results().At(id).Outcome
}

// begin notes that a call of a tier begins.
func (w *write[V]) begin() tally.Mark {
	w.inflight.lock()
	defer w.inflight.unlock()
	return w.tally.Begin()
}

// callEnded notes the end of a call of a tier. The last one finishes a write that has
// returned before.
func (w *write[V]) callEnded(ctx context.Context, c tierCall, obs *telemetry.TierCall, outcome tier.Outcome, err error) {
	if w.engine.observed {
		w.observedCallEnded(ctx, c, obs, outcome, err)
		return
	}
	// The long form has frames that do not fit into the stack of a new goroutine
	// (budget Set/policy=race/telemetry=off).
	if last, _, verdict := w.leave(c, outcome, err); last {
		w.finish(ctx, obs, verdict)
	}
}

// observedCallEnded is callEnded with telemetry, which may end the goroutine anywhere.
// The span of an overlapping call ends without the lock, because a processor of spans
// may wait for another call of the write.
func (w *write[V]) observedCallEnded(ctx context.Context, c tierCall, obs *telemetry.TierCall, outcome tier.Outcome, err error) {
	tel := w.engine.tel
	defer func() {
		last, detached, verdict := w.leave(c, outcome, err)
		if last {
			defer w.finish(ctx, obs, verdict)
		} else { // w may be gone
			defer obs.End()
		}
		if detached {
			tel.Detached(-1)
		}
	}()
	if outcome == tier.Superseded {
		obs.Done(ctx, outcome, nil) // it is no failure
	} else {
		obs.Done(ctx, outcome, err)
	}
}

// leave takes a call that has ended off. It reports whether that was the last one of a
// write that has returned and concluded, and whether the write had returned. If it is not the last
// one, w may be gone afterwards.
func (w *write[V]) leave(c tierCall, outcome tier.Outcome, err error) (last, detached bool, verdict tier.Verdict) {
	if !w.inflight.async {
		w.tally.End(c.id, c.verb, c.began, outcome, err)
		return false, false, verdict
	}
	w.inflight.lock()
	defer w.inflight.unlock()
	w.tally.End(c.id, c.verb, c.began, outcome, err)
	w.inflight.leave(c.id)
	detached = w.inflight.returned
	return detached && !w.inflight.concluding && w.inflight.calls() == 0, detached, w.tally.Verdict()
}

// finish is called once, when the write has returned and no call of a tier goes on:
// by the write itself, or for late, the call that ended last.
func (w *write[V]) finish(ctx context.Context, late *telemetry.TierCall, verdict tier.Verdict) {
	if w.engine.co != nil && !w.stamping.settled {
		w.stamping.settled = true
		defer w.finish(ctx, late, verdict) // even if L1 ends the goroutine
		w.settle(ctx)
		return
	}
	if p := w.engine.repairs; p != nil && !w.origin.told {
		w.origin.told = true
		defer w.finish(ctx, late, verdict) // likewise
		p.observe(ctx, w, verdict)
		return
	}
	for _, ended := range w.engine.observers.ended {
		ended(w.op, w.tally.Results(), verdict)
	}
	if w.lastCall != nil {
		late = w.takeSpan(late)
	}
	switch {
	case !verdict.Consistent:
		w.report(ctx, late, verdict)
	case w.engine.observed:
		w.endAndRelease(late)
	default:
		w.letGo()
		w.lock.Unlock()
		w.free()
	}
}

func (w *write[V]) endAndRelease(late *telemetry.TierCall) {
	defer w.release()
	w.end(late)
}

// release ends a write that needs no report.
func (w *write[V]) release() {
	w.letGo()
	w.lock.Unlock()
	w.free()
}

// letGo says in the contexts of w's calls that the key is not locked any more.
func (w *write[V]) letGo() {
	if w.held != nil {
		w.held.over.Store(true)
	}
}

// report says that the tiers may differ. Its steps are deferred, so that each is taken
// even if the one before ends the goroutine: the event, the end of the span, the next
// write of the key, the observers.
func (w *write[V]) report(ctx context.Context, late *telemetry.TierCall, verdict tier.Verdict) {
	ctx = context.WithoutCancel(ctx) // a policy may have cancelled the call that ended last
	results := w.tally.Results()
	i := tier.Inconsistency{
		Cache: w.engine.config.Name, Policy: w.policyName(), Kind: w.op.Kind, Key: w.op.Key,
		L1: results.L1, L2: results.L2, Verdict: verdict,
	}
	if reported := w.engine.observers.reported; len(reported) == 0 {
		defer w.release()
	} else {
		defer w.free()
		defer w.lock.Done()
		defer tell(ctx, reported, i)
		defer w.lock.Handoff() // so that the observers may write the key
		defer w.letGo()
	}
	defer w.end(late)
	w.obs.Inconsistent(ctx, late, i)
}

// end ends the span that was kept open for the event.
func (w *write[V]) end(late *telemetry.TierCall) {
	if late != nil {
		late.End()
	} else {
		w.obs.End()
	}
}
