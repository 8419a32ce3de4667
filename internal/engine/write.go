package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// write is one Set or Delete, from the call to the end of its last call of a tier.
type write[V any] struct {
	engine   *Engine[V]
	op       writepolicy.Op
	lock     keylock.Lock
	obs      telemetry.Write
	entry    backends.Entry[V]
	l1Entry  backends.Entry[V] // for L1, where it differs
	l1, l2   policyTier[V]
	held     *link // in the contexts of its calls; nil: none
	tally    tally.Tally
	inflight inflight
	call     tierCall // that is under way, where calls are not observed; id 0: none
	when     conditional
	stamping stamping[V]
	origin   origin
	result   *backends.Result    // where a conditional write puts that of L2
	member   *member[V]          // of a batch; nil: the write is alone
	lastCall *telemetry.TierCall // of a batch of loads: see keepSpan
}

// Set writes the value to both tiers, for a TTL; 0: for ever. It takes no entry,
// because passing one would cost more than making it here (budget Set).
func (e *Engine[V]) Set(ctx context.Context, key string, value V, ttl time.Duration) error {
	if e.direct.L1 != nil {
		return e.setDirect(ctx, key, value, ttl)
	}
	w := e.newWrite(tier.Set, key)
	w.entry.Value = value
	if ttl > 0 {
		w.entry.ExpiresAt = expiry(ttl)
	}
	return w.run(ctx)
}

// SetEntry writes the entry to both tiers.
func (e *Engine[V]) SetEntry(ctx context.Context, key string, entry backends.Entry[V]) error {
	w := e.newWrite(tier.Set, key)
	w.entry = entry
	return w.run(ctx)
}

// Delete removes the key from both tiers.
func (e *Engine[V]) Delete(ctx context.Context, key string) error {
	return e.newWrite(tier.Delete, key).run(ctx)
}

func (e *Engine[V]) newWrite(kind tier.Kind, key string) *write[V] {
	w, _ := e.writePool.Get().(*write[V])
	if w == nil {
		w = &write[V]{engine: e}
		w.l1 = policyTier[V]{write: w, id: tier.L1, tier: e.l1}
		w.l2 = policyTier[V]{write: w, id: tier.L2, tier: e.l2}
		w.tally.Remote = tier.Pair[bool]{L1: !e.l1.Description().InProcess, L2: !e.l2.Description().InProcess}
	}
	w.op = writepolicy.Op{Kind: kind, Key: key}
	w.tally.Kind = kind
	w.inflight.async = !e.trusted // a policy that is not known may do anything
	return w
}

// free is called when nothing refers to w any more. A write whose goroutine a
// stranger has ended is not freed, and not recycled.
func (w *write[V]) free() {
	e := w.engine
	if !e.trusted {
		return
	}
	w.op = writepolicy.Op{}
	w.tally.Reset()
	w.inflight.reset()
	if e.observed {
		w.obs.Reset()
	}
	w.entry = backends.Entry[V]{}
	w.held = nil
	if w.when.on {
		w.when, w.result = conditional{}, nil
	}
	if e.co != nil {
		w.stamping = stamping[V]{}
	}
	if e.repairs != nil {
		w.origin = origin{}
	}
	if e.rewrites {
		w.l1Entry = backends.Entry[V]{}
	}
	w.l1.staged, w.l2.staged, w.member = nil, nil, nil
	e.writePool.Put(w)
}

// run takes a write through all its steps.
func (w *write[V]) run(ctx context.Context) error {
	e := w.engine
	if e.sources.of != nil {
		if err := w.takeSourceOrRefuse(ctx); err != nil {
			return err
		}
	}
	ctx = w.start(ctx)
	if e.stages || e.rewrites {
		if err := w.stageOrRefuse(ctx); err != nil {
			return err
		}
	}
	if err := w.acquire(ctx); err != nil {
		return w.refuse(ctx, err)
	}
	return w.runLocked(ctx)
}

// runLocked is run with the key's lock.
func (w *write[V]) runLocked(ctx context.Context) error {
	if w.when.source != 0 && w.supersededByL1(ctx) {
		return w.endSuperseded(ctx)
	}
	if ctx.Err() != nil {
		w.lock.Unlock()
		return w.refuse(ctx, guard.WithoutKey(backends.ContextError(ctx), w.op.Key))
	}
	return w.proceed(w.prepare(ctx))
}

// acquire locks the key, or returns the reason why it cannot.
func (w *write[V]) acquire(ctx context.Context) error {
	e := w.engine
	if e.locks.TryAcquire(&w.lock, w.op.Key) {
		return nil
	}
	if e.holds(ctx, w.op.Key) {
		return errHeld
	}
	if err := e.locks.Acquire(w.member.pausing(ctx), &w.lock, w.op.Key); err != nil {
		return lockError(err, w.op.Key)
	}
	if d := w.lock.Waited(); d > 0 {
		w.obs.Waited(ctx, d)
	}
	return nil
}

// start begins to observe the write.
func (w *write[V]) start(ctx context.Context) context.Context {
	if w.member != nil {
		w.engine.tel.StartMember(&w.obs, &w.member.batch.obs, w.op.Key)
		return ctx
	}
	if w.when.on {
		return w.engine.tel.StartConditional(ctx, &w.obs, w.op.Kind, w.when.test, w.op.Key)
	}
	return w.engine.tel.StartWrite(ctx, &w.obs, w.op.Kind, w.op.Key)
}

// policyName returns the name of the policy by which the write goes.
func (w *write[V]) policyName() string {
	if w.when.on {
		return telemetry.ConditionalPolicy
	}
	return w.engine.policyName
}

// refuse ends a write that has touched no tier.
func (w *write[V]) refuse(ctx context.Context, cause error) error {
	err := &tier.WriteError{
		Kind: w.op.Kind, Policy: w.policyName(), Verdict: tier.Verdict{Consistent: true},
		Cause: cause,
	}
	defer w.free()
	defer w.obs.End()
	w.obs.Returned(ctx, tier.Skipped, tier.Skipped, true, err)
	return err
}

// prepare is called when w has its key's lock. It returns the context for the calls of
// the tiers, which the caller's context does not end.
func (w *write[V]) prepare(ctx context.Context) context.Context {
	if w.member != nil || !w.engine.unheld(ctx) {
		ctx, w.held = w.engine.hold(ctx, w.op.Key)
	}
	if w.member != nil {
		w.held.member = w.member
	}
	for _, began := range w.engine.observers.began {
		began(w.op)
	}
	if co := w.engine.co; co != nil {
		w.stamping.write, w.stamping.epoch = w, co.machine.Epoch() // before L2 is written
	}
	if p := w.engine.repairs; p != nil {
		p.began(w)
	}
	return ctx
}

// proceed lets the policy write the tiers.
func (w *write[V]) proceed(ctx context.Context) (err error) {
	policyErr := guard.ErrExited
	defer func() { err = w.conclude(ctx, policyErr) }()
	policyErr = w.callPolicy(ctx)
	return nil
}

func (w *write[V]) callPolicy(ctx context.Context) error {
	switch {
	case w.when.on:
		return w.decide(ctx)
	case w.engine.trusted:
		return w.engine.config.WritePolicy.Write(ctx, w.op, &w.l1, &w.l2)
	default:
		return w.runCustom(ctx)
	}
}

func (w *write[V]) runCustom(ctx context.Context) (err error) {
	defer func() {
		if p, ok := err.(*backends.PanicError); ok { //nolint:errorlint // the policy's own panic, and no tier's
			err = fmt.Errorf("the policy panicked: %w", p)
		}
	}()
	defer guard.Catch(&err)
	if err = w.engine.config.WritePolicy.Write(ctx, w.op, &w.l1, &w.l2); err != nil {
		_, err = guard.Readable(err, w.op.Key)
	}
	return err
}
