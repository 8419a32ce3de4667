package engine

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// stamping gives the entry of a write the version that L2 has issued. Until then L1's
// entry has none, and is not fresh: L2 may refuse the write, or order it behind that of
// another process.
type stamping[V any] struct {
	write   *write[V]
	ctx     context.Context //nolint:containedctx // it is pooled with the write, and cleared
	epoch   uint32          // when the write began
	result  backends.Result // of L2's last call, if it was applied
	settled bool
}

// Store implements [coherence.Holder]. A deletion has nothing to store.
func (s *stamping[V]) Store() error {
	w := s.write
	if w.op.Kind == tier.Delete {
		return nil
	}
	return w.engine.l1.SetStamped(s.ctx, w.op.Key, w.entryFor(tier.L1), backends.Stamp{
		Version: s.result.Version, Source: s.result.Source, Epoch: s.epoch,
	})
}

// Drop implements [coherence.Holder].
func (s *stamping[V]) Drop() error { return s.write.engine.l1.Delete(s.ctx, s.write.op.Key) }

// settle stamps L1's entry, if both tiers certainly have the write, or drops it if
// another process has written the key after this one. It is called with the key's lock,
// when no call of a tier goes on.
func (w *write[V]) settle(ctx context.Context) {
	s := &w.stamping
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx) // a policy may have cancelled the call that ended last
	}
	s.ctx = ctx
	version := s.result.Version
	if w.tally.Possible(tier.L1).Final != tier.After || w.tally.Possible(tier.L2).Final != tier.After {
		version = 0
	}
	_, _ = w.engine.co.machine.Store(&w.lock, version, s)
	s.ctx = nil
}

// decorate adds to a write of L2 its origin, by which this and other processes know it
// when they are told of it.
func (w *write[V]) decorate(to *backends.Write[V]) {
	if co := w.engine.co; co != nil {
		to.Operation = w.origin.operation
		to.Note = telemetry.Note(w.spanContext())
		w.engine.repairs.limit(w, to)
	}
}

// decided takes note of the version that L2 has issued.
func (w *write[V]) decided(res backends.Result, err error) {
	if w.engine.co != nil && err == nil && res.Applied() {
		w.inflight.lock()
		w.stamping.result = res
		w.inflight.unlock()
	}
}

// spanContext is that of the write, or of the batch that it is part of.
func (w *write[V]) spanContext() trace.SpanContext {
	if w.member != nil {
		return w.member.batch.obs.SpanContext()
	}
	return w.obs.SpanContext()
}

// versioned reports whether a call of the tier has L2 issue a version.
func (t *policyTier[V]) versioned(kind tier.Kind) bool {
	return t.id == tier.L2 && kind != tier.Invalidate && (t.write.when.on || t.write.engine.co != nil)
}
