package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// Found is the result of one key of a batch of reads.
type Found[V any] struct {
	Value V
	OK    bool // false: there is no value
	Stale bool // another process may have replaced it
}

// GetMany returns the values of the keys, in their order. Unlike a batch of writes or
// loads it needs no goroutines: all keys take the same way, one step after the other.
func (e *Engine[V]) GetMany(ctx context.Context, keys []string) (values []Found[V], err error) {
	values = make([]Found[V], len(keys))
	if ctx == nil {
		return values, ErrNilContext
	}
	b := &batch[V]{engine: e}
	ctx = b.begin(ctx, tier.Get, len(keys))
	err = guard.ErrExited
	defer func() { b.obs.Returned(ctx, len(b.failed), false, err) }()
	reads := make([]*read[V], len(keys)) // of the keys that L1 does not answer
	defer endReads(reads)
	b.askL1(ctx, keys, values, reads)
	b.askBeyond(ctx, values, reads)
	err = b.error(tier.Get, len(keys))
	return values, err
}

// askL1 answers the keys that L1 has, and makes reads for the others.
func (b *batch[V]) askL1(ctx context.Context, keys []string, values []Found[V], reads []*read[V]) {
	for i, key := range keys {
		var err error
		reads[i], err = b.askL1For(ctx, key, &values[i])
		b.fail(i, err)
	}
}

// askL1For answers one key if L1 has it. Otherwise it returns a read that has begun.
func (b *batch[V]) askL1For(ctx context.Context, key string, value *Found[V]) (beyond *read[V], err error) {
	e := b.engine
	if err := e.check(ctx, key); err != nil {
		return nil, err
	}
	l1 := e.lookupL1(ctx, key)
	if both := e.reads.Concurrent && e.reads.WaitForBoth; l1.hit && !both {
		e.countHit(&l1)
		*value = Found[V]{Value: l1.entry.Value, OK: true}
		return nil, nil
	}
	e.tel.Count(tier.L1, l1.lookup())
	if e.servesStale(&l1) {
		*value = Found[V]{Value: b.staleValue(ctx, &l1), OK: true, Stale: true}
		return nil, nil
	}
	r := e.newRead(key)
	e.tel.StartMemberRead(&r.obs)
	r.l1, r.asked = l1, true
	if err := r.begin(); err != nil {
		return nil, err
	}
	return r, nil
}

// endReads ends all reads that have begun.
func endReads[V any](reads []*read[V]) {
	for _, r := range reads {
		if r != nil && r.done() {
			r.free()
		}
	}
}

// askBeyond asks L2 for the keys of all reads, and refills L1.
func (b *batch[V]) askBeyond(ctx context.Context, values []Found[V], reads []*read[V]) {
	index, keys := openReads(reads)
	if len(keys) == 0 {
		return
	}
	l := &link{Context: ctx, cache: b.engine.locks, read: true}
	defer l.over.Store(true)
	answers := b.askL2(l, keys) //nolint:contextcheck // l is a context made of ctx
	for i := range answers {
		b.engine.tel.Count(tier.L2, answers[i].lookup())
	}
	refills := &refills[V]{batch: b, ctx: ctx, at: time.Now()}
	defer refills.end()
	for n, i := range index {
		r := reads[i]
		r.refills = refills
		res, err := r.conclude(ctx, r.fresher(&answers[n]), &answers[n])
		r.obs.Returned(ctx, res.ReadResult, err)
		b.fail(i, err)
		values[i] = Found[V]{Value: res.entry.Value, OK: res.found(), Stale: res.Found == tier.LookupStale}
	}
}

// openReads returns the keys of the reads that have begun, and their places.
func openReads[V any](reads []*read[V]) (index []int, keys []string) {
	n := 0
	for _, r := range reads {
		if r != nil {
			n++
		}
	}
	index, keys = make([]int, 0, n), make([]string, 0, n)
	for i, r := range reads {
		if r != nil {
			index, keys = append(index, i), append(keys, r.key)
		}
	}
	return index, keys
}

// askL2 asks L2 for many keys, observed.
func (b *batch[V]) askL2(ctx context.Context, keys []string) []found[V] {
	e := b.engine
	var obs telemetry.TierCall
	ctx = b.obs.StartCall(ctx, &obs, tier.L2, tier.Get, len(keys))
	answers := make([]found[V], len(keys))
	for i := range answers {
		answers[i].err = guard.ErrExited
	}
	defer func() {
		for i := range answers {
			answers[i].ifExited(keys[i])
			e.bar(keys[i], &answers[i])
		}
		worst := worstAnswer(answers)
		defer obs.End()
		obs.Found(ctx, worst.lookup(), worst.err)
	}()
	e.getMany(ctx, keys, answers)
	return answers
}

// getMany asks L2 for many keys, in one call if it takes them together.
func (e *Engine[V]) getMany(ctx context.Context, keys []string, answers []found[V]) {
	if !e.l2.Batches() {
		eachKey(e.l2, len(keys), func(i int) { answers[i] = e.askL2(ctx, keys[i]) })
		return
	}
	got := make([]backends.Got[V], len(keys))
	e.l2.GetMany(ctx, keys, got)
	redact := newRedaction(keys)
	for i := range got {
		answers[i] = found[V]{entry: got[i].Entry, hit: got[i].Answer.Found == backends.Hit, origin: &got[i].Answer}
		if err := got[i].Err; err != nil {
			answers[i] = found[V]{err: redact.clean(e.l2.GetError(keys[i], err))}
		}
	}
}

// worstAnswer returns the answer that says most of trouble.
func worstAnswer[V any](answers []found[V]) found[V] {
	worst := found[V]{hit: true}
	for i := range answers {
		if answers[i].lookup() > worst.lookup() {
			worst = answers[i]
		}
	}
	return worst
}

// ifExited gives the answer the error of a read that ended its goroutine, if it did. Only
// then, because it is dear: its text must not quote the key.
func (f *found[V]) ifExited(key string) {
	if f.err == guard.ErrExited { //nolint:errorlint // the mark that was set beforehand
		f.err = exited(tier.L2, tier.Get, key, tier.Failed)
	}
}

// askL2 asks L2 together with the other members. Nobody is spared its answer: a caller that
// leaves does not end the call.
func (m *member[V]) askL2(_ context.Context, key string) found[V] {
	mine := m.newCall(key)
	m.Do(class{tier.L2, tier.Get}, mine)
	mine.found.ifExited(key)
	return mine.found
}

// readMany asks L2 for all calls.
func (b *batch[V]) readMany(calls []*call[V]) {
	keys := make([]string, len(calls))
	for i, c := range calls {
		keys[i] = c.key
		c.found.err = guard.ErrExited
	}
	ctx, end := b.linked(calls)
	defer end()
	for i, f := range b.askL2(ctx, keys) {
		calls[i].found = f
	}
}
