package engine

import (
	"context"

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

// GetMany calls put with the value of each key that has one. Unlike a batch of writes or
// loads it needs no goroutines: all keys take the same way, one step after the other.
func (e *Engine[V]) GetMany(ctx context.Context, keys []string, put func(i int, found Found[V])) (err error) {
	if ctx == nil {
		return ErrNilContext
	}
	b := &batch[V]{engine: e, put: put}
	ctx = b.begin(ctx, tier.Get, len(keys))
	err = guard.ErrExited
	defer func() { b.obs.Returned(ctx, len(b.failed), false, err) }()
	reads := make([]*read[V], len(keys)) // of the keys that L1 does not answer
	b.spare = e.getSpareReads()
	defer b.endReads(reads)
	b.askL1(ctx, keys, reads)
	b.askBeyond(ctx, reads)
	err = b.error(tier.Get, len(keys))
	return err
}

// askL1 answers the keys that L1 has, and makes reads for the others.
func (b *batch[V]) askL1(ctx context.Context, keys []string, reads []*read[V]) {
	for i, key := range keys {
		var err error
		reads[i], err = b.askL1For(ctx, i, key)
		b.fail(i, err)
	}
}

// askL1For answers one key if L1 has it. Otherwise it returns a read that has begun.
func (b *batch[V]) askL1For(ctx context.Context, index int, key string) (beyond *read[V], err error) {
	e := b.engine
	if err := e.check(ctx, key); err != nil {
		return nil, err
	}
	if e.fast == fastValue {
		value, ok, err := e.lookupValue(ctx, key)
		if ok && err == nil {
			e.tel.CountHit()
			b.put(index, Found[V]{Value: value, OK: true})
			return nil, nil
		}
		r := b.newRead(key)
		r.l1.err = e.missed(key, err)
		return b.beginRead(r)
	}
	return b.askL1Wholly(ctx, index, key)
}

// askL1Wholly is askL1For where more than the value counts.
func (b *batch[V]) askL1Wholly(ctx context.Context, index int, key string) (beyond *read[V], err error) {
	e := b.engine
	l1 := e.lookupL1(ctx, key)
	if both := e.reads.Concurrent && e.reads.WaitForBoth; l1.hit && !both {
		e.countHit(&l1)
		b.put(index, Found[V]{Value: l1.entry.Value, OK: true})
		return nil, nil
	}
	e.tel.Count(tier.L1, l1.lookup())
	if e.servesStale(&l1) {
		b.put(index, Found[V]{Value: b.staleValue(ctx, &l1), OK: true, Stale: true})
		return nil, nil
	}
	r := b.newRead(key)
	r.l1 = l1
	return b.beginRead(r)
}

// beginRead begins a read of a key that L1 does not answer.
func (b *batch[V]) beginRead(r *read[V]) (*read[V], error) {
	b.engine.tel.StartMemberRead(&r.obs)
	r.asked = true
	if err := r.begin(); err != nil {
		return nil, err
	}
	return r, nil
}

// endReads ends all reads that are left.
func (b *batch[V]) endReads(reads []*read[V]) {
	for _, r := range reads {
		if r != nil {
			b.endRead(r)
		}
	}
	b.engine.sparePool.Put(b.spare)
}

// endRead ends a read that has begun. No tier is asked in a goroutine for it.
func (b *batch[V]) endRead(r *read[V]) {
	r.fence.Lower()
	r.reset()
	b.spare.put(r)
}

// askBeyond asks L2 for the keys of all reads, and refills L1.
func (b *batch[V]) askBeyond(ctx context.Context, reads []*read[V]) {
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
	refills := b.newRefills(ctx, len(keys))
	defer refills.end()
	next := 0
	for i, r := range reads {
		if r == nil {
			continue
		}
		value, err := refills.conclude(ctx, r, &answers, next)
		next++
		b.put(i, value)
		b.fail(i, err)
		b.endRead(r)
		reads[i] = nil
	}
}

// openKeys returns the keys of the reads that have begun.
func openKeys[V any](reads []*read[V]) (keys []string) {
	for _, r := range reads {
		if r == nil {
			continue
		}
		if keys == nil {
			keys = make([]string, 0, len(reads))
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
	barring := e.barringAll(keys)
	defer func() {
		a.ifExited(keys)
		a.bar(e, keys, barring)
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
