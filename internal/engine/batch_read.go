package engine

import (
	"context"
	"time"

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
	keys := openKeys(reads)
	if len(keys) == 0 {
		return
	}
	l := &link{Context: ctx, cache: b.engine.locks, read: true}
	defer l.over.Store(true)
	answers := b.askL2(l, keys) //nolint:contextcheck // l is a context made of ctx
	for i := range keys {
		b.engine.tel.Count(tier.L2, answers.lookup(i))
	}
	refills := &refills[V]{batch: b, ctx: ctx, at: time.Now()}
	defer refills.end()
	next := 0
	for i, r := range reads {
		if r == nil {
			continue
		}
		l2 := answers.at(next)
		next++
		r.refills = refills
		res, err := r.conclude(ctx, r.fresher(&l2), &l2)
		r.obs.Returned(ctx, res.ReadResult, err)
		b.fail(i, err)
		values[i] = Found[V]{Value: res.entry.Value, OK: res.found(), Stale: res.Found == tier.LookupStale}
	}
}

// openKeys returns the keys of the reads that have begun.
func openKeys[V any](reads []*read[V]) (keys []string) {
	for i, r := range reads {
		if r == nil {
			continue
		}
		if keys == nil {
			keys = make([]string, 0, len(reads)-i)
		}
		keys = append(keys, r.key)
	}
	return keys
}

// askL2 asks L2 for many keys, observed.
func (b *batch[V]) askL2(ctx context.Context, keys []string) (a answers[V]) {
	e := b.engine
	var obs telemetry.TierCall
	ctx = b.obs.StartCall(ctx, &obs, tier.L2, tier.Get, len(keys))
	defer func() {
		a.ifExited(keys)
		a.bar(e, keys)
		worst, err := a.worst(len(keys))
		defer obs.End()
		obs.Found(ctx, worst, err)
	}()
	a.fetch(ctx, e, keys)
	return a
}

// askL2 asks L2 together with the other members. Nobody is spared its answer: a caller that
// leaves does not end the call.
func (m *member[V]) askL2(_ context.Context, key string) found[V] {
	mine := m.newCall(key)
	m.Do(class{tier.L2, tier.Get}, mine)
	mine.found.err = ifExited(key, mine.found.err)
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
	answers := b.askL2(ctx, keys)
	for i, c := range calls {
		c.found = answers.at(i)
	}
}
