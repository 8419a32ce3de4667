package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// conditional makes a write one that L2 decides: it goes to L2 first, whatever the write
// policy is, and L1 takes what L2 has decided. The zero value makes it an ordinary
// write.
type conditional struct {
	on     bool
	test   telemetry.Condition
	cond   backends.Condition
	source uint64 // version of the value's source; 0: none
}

// SetIf writes the value if the condition holds in L2. The result is L2's.
func (e *Engine[V]) SetIf(ctx context.Context, key string, value V, ttl time.Duration, cond backends.Condition) (backends.Result, error) {
	w := e.newWrite(tier.Set, key)
	w.entry.Value = value
	if ttl > 0 {
		w.entry.ExpiresAt = expiry(ttl)
	}
	w.when = conditional{on: true, test: telemetry.ConditionOf(cond), cond: cond}
	return w.runConditional(ctx)
}

// DeleteVersion removes the key unless L2 has a value of a newer version of its source.
func (e *Engine[V]) DeleteVersion(ctx context.Context, key string, source uint64) error {
	if source == 0 {
		return errNoSource
	}
	if err := e.checkConditional(ctx, key, 0); err != nil {
		return err
	}
	w := e.newWrite(tier.Delete, key)
	w.when = conditional{on: true, test: telemetry.ConditionSource, source: source}
	_, err := w.runConditional(ctx)
	return err
}

// runConditional runs a conditional write, and returns the result of L2.
func (w *write[V]) runConditional(ctx context.Context) (res backends.Result, err error) {
	w.result = &res
	err = w.run(ctx)
	return res, err
}

// takeSource asks the value for the version of its source, if values have one. Then
// each write is a conditional one, so that L2 is always the first to know.
func (w *write[V]) takeSource() (err error) {
	e := w.engine
	if e.sources.of == nil {
		return nil
	}
	w.when.on = true
	if w.op.Kind != tier.Set {
		return nil
	}
	if w.when.source, err = e.sources.version(w.entry.Value); err != nil {
		return fmt.Errorf("the function of WithSourceVersion panicked: %w", guard.WithoutKey(err, w.op.Key))
	}
	if w.when.test == telemetry.Unconditional && w.when.source != 0 {
		w.when.test = telemetry.ConditionSource
	}
	return nil
}

// takeSourceOrRefuse takes the source's version, and ends the write if that fails.
func (w *write[V]) takeSourceOrRefuse(ctx context.Context) (err error) {
	cause := guard.ErrExited
	defer func() {
		if cause != nil {
			err = w.refuse(w.start(ctx), cause)
		}
	}()
	cause = w.takeSource()
	return nil
}

// decide is the policy of a conditional write. It is called with the key's lock.
func (w *write[V]) decide(ctx context.Context) error {
	err := w.l2.Write(ctx)
	switch tier.OutcomeOf(err) {
	case tier.Applied:
		if err = w.l1.Write(ctx); err == nil {
			return nil
		}
		_ = w.l1.Compensate(ctx) // the tally has its outcome, by which a Delete fails
		return nil               // as for an L2 that is written first
	case tier.Superseded:
		return w.l1.Drop(ctx) // L1 may hold the value that L2 has replaced
	case tier.Unknown:
		return errors.Join(err, w.l1.Compensate(ctx))
	default:
		return err
	}
}

// supersededByL1 reports whether L1 has a value of a newer version of its source. L2 may
// have lost that value, and must not get an older one then.
func (w *write[V]) supersededByL1(ctx context.Context) (newer bool) {
	e := w.engine
	returned := false
	defer func() {
		if !returned { // L1 or the function has ended the goroutine
			w.lock.Unlock()
			_ = w.refuse(ctx, guard.ErrExited)
		}
	}()
	link := &link{Context: ctx, cache: e.locks, key: w.op.Key} // it ends as ctx does: no tier is written yet
	if w.member != nil {
		link.member = w.member
	}
	defer link.over.Store(true)
	l1 := e.lookupL1(link, w.op.Key) //nolint:contextcheck // link is a context made of ctx
	if l1.hit && e.sources.of != nil {
		has, err := e.sources.version(l1.entry.Value)
		newer = err == nil && has > w.when.source
	}
	returned = true
	return newer
}

// endSuperseded ends a write that L1 has superseded. It touches no tier, and is no error.
func (w *write[V]) endSuperseded(ctx context.Context) error {
	if w.result != nil {
		w.result.Refused = backends.RefusedSource
	}
	defer w.release()
	defer w.obs.End()
	if w.engine.co != nil {
		w.stamping.write = w
		w.settle(ctx)
	}
	w.obs.Returned(ctx, tier.Superseded, tier.Skipped, true, nil)
	return nil
}

// writeL2 has L2 decide.
func (t *policyTier[V]) writeL2(ctx context.Context) (tier.Outcome, error) {
	w := t.write
	write := &backends.Write[V]{
		Key: w.op.Key, Kind: w.op.Kind, Entry: w.entry,
		If: w.when.cond, Source: w.when.source, Keep: w.engine.keep,
	}
	w.decorate(write)
	res, err := t.tier.Write(ctx, write)
	w.decided(res, err)
	w.noteResult(res, err)
	return t.outcomeOf(w.op.Kind, res, err)
}

// noteResult keeps the result for whoever wants to have it.
func (w *write[V]) noteResult(res backends.Result, err error) {
	if err == nil && w.result != nil {
		*w.result = res
	}
}

// outcomeOf returns the outcome of a write on which the tier has decided.
func (t *policyTier[V]) outcomeOf(kind tier.Kind, res backends.Result, err error) (tier.Outcome, error) {
	key := t.write.op.Key
	switch {
	case err != nil:
		return t.tier.Failed(kind, key, err)
	case res.Applied():
		return tier.Applied, nil
	case res.Refused.Superseded():
		return tier.Superseded, guard.NewError(t.id, kind.String(), key, tier.Superseded, tier.ErrSuperseded)
	default:
		return t.tier.Failed(kind, key, backends.NotApplied(errLate))
	}
}
