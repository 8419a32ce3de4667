package badgerbackend

import (
	"context"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
)

// A transaction of a batch has at most this many changes and, after the first, bytes.
const (
	batchChanges = 128
	batchBytes   = 1 << 20
)

// GetMany reads all keys in one transaction.
func (b *Backend) GetMany(ctx context.Context, keys []string, got []backends.Got[[]byte]) {
	if backends.RefuseReads(ctx, keys, got) {
		return
	}
	if err := b.begin(ctx); err != nil {
		failAll(got, err)
		return
	}
	defer b.calls.RUnlock()
	for _, key := range keys {
		if stored, storable := b.storedKey(key); storable {
			b.order.await(stored)
		}
	}
	err := b.db.View(func(txn *badger.Txn) error {
		for i, key := range keys {
			got[i] = b.getOne(ctx, txn, key)
		}
		return nil
	})
	if err != nil {
		failAll(got, readError(err))
	}
}

// getOne reads one key of a batch. One that cannot have been stored is a miss.
func (b *Backend) getOne(ctx context.Context, txn *badger.Txn, key string) (got backends.Got[[]byte]) {
	if ctx.Err() != nil {
		got.Err = endedError(ctx)
		return got
	}
	stored, storable := b.storedKey(key)
	if !storable {
		return got
	}
	entry, answer, err := get(txn, stored, 0)
	if err != nil {
		got.Err = readError(err)
		return got
	}
	got.Entry, got.Answer = entry, answer
	return got
}

func failAll(got []backends.Got[[]byte], err error) {
	for i := range got {
		got[i] = backends.Got[[]byte]{Err: err}
	}
}

// WriteMany makes the changes in transactions of at most 128 changes and about 1 MiB.
// Those of one transaction share its error.
func (b *Backend) WriteMany(ctx context.Context, writes []backends.Write[[]byte], done []backends.Done) {
	if backends.RefuseWrites(ctx, writes, done) {
		return
	}
	var part batch
	for i := range writes {
		c, err := b.check(&writes[i])
		if err != nil {
			done[i] = backends.Done{Err: err}
			continue
		}
		if !part.fits(c, b.limits.batch) {
			b.applyBatch(ctx, &part, done)
			part = batch{}
		}
		part.add(i, c)
	}
	if len(part.changes) > 0 {
		b.applyBatch(ctx, &part, done)
	}
}

// batch are changes of one transaction.
type batch struct {
	changes []change
	indexes []int // of their results
	bytes   int
}

// fits reports whether c can be added, in a store whose transactions have less than
// limit bytes.
func (p *batch) fits(c change, limit int64) bool {
	bytes := p.bytes + cost(c)
	return len(p.changes) == 0 || len(p.changes) < batchChanges && bytes <= batchBytes && int64(bytes) < limit
}

func (p *batch) add(index int, c change) {
	p.changes, p.indexes, p.bytes = append(p.changes, c), append(p.indexes, index), p.bytes+cost(c)
}

// cost returns the number of bytes of c, by badger's count or more.
func cost(c change) int {
	const overhead = 128
	return c.size() + noteSize(c.write) + overhead
}

// applyBatch makes the changes of p in one transaction.
func (b *Backend) applyBatch(ctx context.Context, p *batch, done []backends.Done) {
	if len(p.changes) == 1 {
		result, err := b.apply(ctx, p.changes[0])
		done[p.indexes[0]] = backends.Done{Result: result, Err: err}
		return
	}
	if err := b.begin(ctx); err != nil {
		for _, i := range p.indexes {
			done[i] = backends.Done{Err: err}
		}
		return
	}
	defer b.calls.RUnlock()
	unlock := b.order.lock(p.changes)
	defer unlock()
	txn := b.db.NewTransaction(true)
	defer txn.Discard()
	for n, i := range p.indexes {
		done[i] = b.decideOne(txn, p.changes[n])
	}
	err := txn.Commit()
	if err == nil {
		return
	}
	for n, i := range p.indexes {
		if done[i].Err == nil {
			// A refusal may come from an earlier change of the batch, so it is void too.
			refused := !done[i].Result.Applied()
			done[i] = backends.Done{Err: writeError(p.changes[n].op(time.Now()), err, refused)}
		}
	}
}

// decideOne adds c to the transaction of a batch, unless there is no room for it.
func (b *Backend) decideOne(txn *badger.Txn, c change) backends.Done {
	now := time.Now()
	op := c.op(now)
	if err := b.space.check(op, c.size()); err != nil {
		return backends.Done{Err: err}
	}
	result, err := b.decide(txn, c, now)
	if err != nil {
		return backends.Done{Err: writeError(op, err, true)}
	}
	return backends.Done{Result: result}
}
