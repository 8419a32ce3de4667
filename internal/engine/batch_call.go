package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// error returns the error of the batch, or nil if no key failed.
func (b *batch[V]) error(kind tier.Kind, size int) error {
	if len(b.failed) == 0 {
		return nil
	}
	slices.SortFunc(b.failed, func(x, y tier.KeyError) int { return cmp.Compare(x.Index, y.Index) })
	return &tier.BatchError{Kind: kind, Size: size, Errors: b.failed}
}

// make makes the calls of one class at once, in the order of the batch.
func (b *batch[V]) make(c class, calls []*call[V]) {
	slices.SortFunc(calls, func(x, y *call[V]) int { return cmp.Compare(x.index, y.index) })
	switch c.kind {
	case tier.Get:
		b.readMany(calls)
	case tier.Load:
		b.load(calls)
	default:
		b.writeTier(c, calls)
	}
}

// callTogether makes a call of a policy together with those of the other keys.
func (t *policyTier[V]) callTogether(ctx context.Context, c tierCall, expected bool) error {
	w := t.write
	mine := w.member.newCall(w.op.Key)
	mine.write, mine.outcome, mine.err = t, tier.Unknown, guard.ErrExited
	do := w.member.Do
	if expected {
		do = w.member.DoExpected
	}
	b, tel, observed := w.member.batch, w.engine.tel, w.engine.observed // w may be gone after leave
	do(class{t.id, t.kind(c.verb)}, mine)
	mine.ifExited(t.id, t.kind(c.verb))
	before, kept := w.keepSpan(mine.obs)
	if before != nil {
		defer before.End()
	}
	last, detached, verdict := w.leave(c, mine.outcome, mine.err)
	switch {
	case last:
		defer w.finish(ctx, mine.obs, verdict)
	case !kept && mine.obs != nil:
		defer mine.obs.End()
	}
	if detached {
		b.obs.Ended(t.id)
		if observed {
			tel.Detached(-1)
		}
	}
	return mine.err
}

// keepSpan keeps the span of the last call of a loaded value's write for its event, because the
// batch may have returned by then. It returns the span of the call before.
func (w *write[V]) keepSpan(obs *telemetry.TierCall) (before *telemetry.TierCall, kept bool) {
	if obs == nil || w.member.batch.loader == nil {
		return nil, false
	}
	w.inflight.lock()
	defer w.inflight.unlock()
	before, w.lastCall = w.lastCall, obs
	return before, true
}

// takeSpan returns the span for the event of a write that has ended, and ends the one that is
// not needed. Late is that of the call which has ended after the write.
func (w *write[V]) takeSpan(late *telemetry.TierCall) *telemetry.TierCall {
	kept := w.lastCall
	w.lastCall = nil
	switch {
	case kept == nil || kept == late:
		return late
	case late == nil:
		return kept
	default:
		kept.End()
		return late
	}
}

// writeTier writes one tier for all calls.
func (b *batch[V]) writeTier(c class, calls []*call[V]) {
	obs := b.share(calls)
	ctx, end := b.linked(calls)
	defer end()
	ctx = b.obs.StartCall(ctx, obs, c.tier, c.kind, len(calls))
	obs.Share(len(calls)) // each of them ends it
	defer func() {
		for _, call := range calls {
			call.ifExited(c.tier, c.kind)
		}
		worst, err := worstOf(calls)
		b.obs.Wrote(c.tier, worst)
		obs.Done(ctx, worst, err)
	}()
	touchAll(ctx, c.kind, calls)
}

// touchAll writes a tier, in one call if it takes many writes.
func touchAll[V any](ctx context.Context, kind tier.Kind, calls []*call[V]) {
	t := calls[0].write.tier
	if !t.Batches() {
		eachKey(t, len(calls), func(i int) {
			calls[i].outcome, calls[i].err = calls[i].write.touchKind(ctx, kind)
		})
		return
	}
	writes, done := make([]backends.Write[V], len(calls)), make([]backends.Done, len(calls))
	for i, call := range calls {
		writes[i] = call.write.asWrite(kind)
	}
	t.WriteMany(ctx, writes, done)
	var redact *redaction
	for i, call := range calls {
		call.done(kind, &done[i])
		if call.err == nil {
			continue
		}
		if redact == nil {
			redact = newRedaction(keysOfCalls(calls))
		}
		call.err = redact.clean(call.err)
	}
}

// done takes the tier's answer to a write.
func (c *call[V]) done(kind tier.Kind, done *backends.Done) {
	if c.write.versioned(kind) {
		c.write.write.decided(done.Result, done.Err)
		c.write.write.noteResult(done.Result, done.Err)
	}
	c.outcome, c.err = c.write.outcomeOf(kind, done.Result, done.Err)
}

// share returns the telemetry of a call, which the calls have in common.
func (b *batch[V]) share(calls []*call[V]) *telemetry.TierCall {
	obs := new(telemetry.TierCall)
	for _, call := range calls {
		call.obs = obs
	}
	return obs
}

// ifExited gives the call the error of one that ended its goroutine, if it did. Only then,
// because it is dear: its text must not quote the key.
func (c *call[V]) ifExited(id tier.ID, kind tier.Kind) {
	if c.err == guard.ErrExited { //nolint:errorlint // the mark that was set beforehand
		c.err = exited(id, kind, c.key, tier.Unknown)
	}
}

// maxAtOnce bounds the calls at once of a tier that takes one key at a time.
const maxAtOnce = 16

// eachKey makes n calls of a tier, several at once if it is not in the process.
func eachKey[V any](t *guard.Tier[V], n int, call func(i int)) {
	if t.Description().InProcess {
		for i := range n {
			call(i)
		}
		return
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxAtOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			call(i)
		})
	}
	wg.Wait()
}

// worstOf returns the outcome that says most of trouble, and its error.
func worstOf[V any](calls []*call[V]) (worst tier.Outcome, err error) {
	for _, c := range calls {
		if telemetry.Worse(c.outcome, worst) {
			worst, err = c.outcome, c.err
		}
	}
	if worst == tier.Superseded {
		err = nil // it is no failure
	}
	return worst, err
}

// asWrite returns the write of a tier as part of a batch.
func (t *policyTier[V]) asWrite(kind tier.Kind) backends.Write[V] {
	w := t.write
	bw := backends.Write[V]{Key: w.op.Key, Kind: kind}
	switch kind {
	case tier.Invalidate:
		bw.Kind = tier.Delete
	case tier.Set:
		bw.Entry = *w.entryFor(t.id)
	}
	if t.versioned(kind) {
		bw.If, bw.Source, bw.Keep = w.when.cond, w.when.source, w.engine.keep
		w.decorate(&bw)
	}
	return bw
}
