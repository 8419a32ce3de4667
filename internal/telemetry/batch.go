package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/internal/telemetry/settings"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Batch is the telemetry of one operation on many keys. It has one span, and one for each
// call of a tier, whatever the number of keys is.
type Batch struct {
	operation
	mu    sync.Mutex
	of    keyEvents
	worst tier.Pair[tier.Outcome]
	open  tier.Pair[int] // calls that go on although their key has returned
	ended bool           // the span is about to end
}

// batches are the templates of operations on many keys, and of their calls of tiers.
type batches struct {
	operations [tier.Kinds]opTemplate
	calls      tier.Pair[[tier.Kinds]callTemplate]
}

// batchName returns the name of an operation on many keys.
func batchName(kind tier.Kind) string { return kind.String() + "_many" }

func newBatches(target Target, spans settings.TierSpans) (t batches) {
	for _, kind := range []tier.Kind{tier.Set, tier.Delete, tier.Get, tier.Load} {
		t.operations[kind] = newOpTemplate(target, kind, batchName(kind))
	}
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		for _, kind := range []tier.Kind{tier.Set, tier.Delete, tier.Invalidate, tier.Get, tier.Refill} {
			t.calls.At(id)[kind] = newCallTemplate(target, id, kind, batchName(kind), spans)
		}
	}
	return t
}

// StartBatch begins to observe an operation on many keys.
func (t *Telemetry) StartBatch(ctx context.Context, b *Batch, kind tier.Kind, size int) context.Context {
	b.tel = t
	if !t.active {
		return ctx
	}
	ctx = b.observe(ctx, &t.batches.operations[kind], "")
	if b.span != nil {
		setAttributes(b.span, tracing.AttrBatchSize.Int(size))
	}
	return ctx
}

// SpanContext is that of the batch, for links.
func (b *Batch) SpanContext() trace.SpanContext {
	if b.span == nil {
		return trace.SpanContext{}
	}
	return spanContext(b.span)
}

// StartMember makes w part of a batch, which shows the write in its place.
func (t *Telemetry) StartMember(w *Write, b *Batch, key string) {
	w.tel, w.batch, w.silent = t, b, true
	if t.key != nil {
		w.key = formatKey(t.key, key)
	}
}

// StartMemberRead makes r part of a batch. It is counted, and not shown or measured.
func (t *Telemetry) StartMemberRead(r *Read) { r.tel, r.silent = t, true }

// StartCall begins to observe one call of a tier for many keys.
func (b *Batch) StartCall(ctx context.Context, c *TierCall, id tier.ID, kind tier.Kind, size int) context.Context {
	ctx = c.begin(ctx, &b.operation, &b.tel.batches.calls.At(id)[kind])
	if c.span != nil {
		setAttributes(c.span, tracing.AttrBatchSize.Int(size))
	}
	return ctx
}

// Size notes the number of keys of a call, where it was not known when the call began.
func (c *TierCall) Size(size int) {
	if c.span != nil {
		setAttributes(c.span, tracing.AttrBatchSize.Int(size))
	}
}

// Wrote notes the worst outcome of a call of a tier that wrote many keys.
func (b *Batch) Wrote(id tier.ID, worst tier.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.worst.At(id); Worse(worst, *o) {
		*o = worst
	}
}

// Detached notes calls of tiers that go on although the write of their key has returned.
func (b *Batch) Detached(open tier.Pair[int]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open.L1 += open.L1
	b.open.L2 += open.L2
}

// Ended notes that one of them has ended.
func (b *Batch) Ended(id tier.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.open.At(id)--
}

// StartLoad begins to observe the call of a loader for many keys.
func (b *Batch) StartLoad(ctx context.Context, l *Load, size int) context.Context {
	l.tel = b.tel
	if !b.tel.active {
		return ctx
	}
	ctx = l.observe(ctx, &b.tel.batches.operations[tier.Load], "")
	if l.span != nil {
		setAttributes(l.span, tracing.AttrBatchSize.Int(size))
	}
	return ctx
}

// Worse reports whether outcome a says more of trouble than b.
func Worse(a, b tier.Outcome) bool {
	order := [tier.Outcomes]int{tier.Skipped: 0, tier.Applied: 1, tier.Superseded: 2, tier.Failed: 3, tier.Unknown: 4}
	return order[a] > order[b]
}

// Returned notes how many keys failed, and the error, and ends the batch. Written says
// that it was a batch of writes.
func (b *Batch) Returned(ctx context.Context, failed int, written bool, err error) {
	if b.span != nil {
		defer b.describeEnd(failed, written, err) // even if measuring ends the goroutine
	}
	b.measure(ctx, err)
}

func (b *Batch) describeEnd(failed int, written bool, err error) {
	defer endSpan(b.span)
	b.mu.Lock()
	b.ended = true // later events are those of the calls that ended last
	of, worst, open := b.of, b.worst, b.open
	b.mu.Unlock()
	if failed > 0 {
		setAttributes(b.span, tracing.AttrBatchFailures.Int(failed))
	}
	if written {
		l1, l2 := unlessOpen(worst.L1, open.L1), unlessOpen(worst.L2, open.L2)
		setAttributes(b.span, b.tel.writeEnds[l1][l2][btoi(!of.apart)]...)
	}
	if of.count > 0 {
		setAttributes(b.span, tracing.AttrBatchInconsistencies.Int(of.count))
	}
	b.setDurations()
	if err != nil {
		fail(b.span, err)
	}
}

// unlessOpen returns the outcome of a tier of which no call goes on.
func unlessOpen(outcome tier.Outcome, open int) tier.Outcome {
	if open > 0 {
		return InFlight
	}
	return outcome
}
