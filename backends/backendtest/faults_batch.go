package backendtest

import (
	"context"
	"slices"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

var _ backends.Batcher[any] = (*Faults[any])(nil)

// NextAt queues faults for elements of the next batch of a kind: the first fault for the
// element at position i, the second for the one after it, and so on. A nil Fault lets
// its element pass, and faults beyond the end of the batch are forgotten. Elements
// without a fault are passed on as batches, in their order.
//
// Reads are a batch of [tier.Get]. Writes are one of [tier.Set] if there is a Set among
// them, and of [tier.Delete] otherwise. A batch is one call of its kind, whose fault,
// see [Faults.Next], strikes all elements.
func (f *Faults[V]) NextAt(kind tier.Kind, i int, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if missing := i + len(faults) - len(f.at[kind]); missing > 0 {
		f.at[kind] = append(f.at[kind], make([]Fault, missing)...)
	}
	copy(f.at[kind][i:], faults)
}

// GetMany reads from the backend unless faults for Get prevent it.
func (f *Faults[V]) GetMany(ctx context.Context, keys []string, got []backends.Got[V]) {
	if backends.RefuseReads(ctx, keys, got) {
		return
	}
	f.batch(ctx, tier.Get, len(keys),
		func(ctx context.Context, from, to int) { f.optional.GetMany(ctx, keys[from:to], got[from:to]) },
		func(i int) error { return got[i].Err },
		func(i int, err error) { got[i] = backends.Got[V]{Err: err} })
}

// WriteMany makes the changes unless faults for Set or Delete prevent it.
func (f *Faults[V]) WriteMany(ctx context.Context, writes []backends.Write[V], done []backends.Done) {
	if backends.RefuseWrites(ctx, writes, done) {
		return
	}
	kind := tier.Delete
	if slices.ContainsFunc(writes, func(w backends.Write[V]) bool { return w.Kind != tier.Delete }) {
		kind = tier.Set
	}
	f.batch(ctx, kind, len(writes),
		func(ctx context.Context, from, to int) { f.optional.WriteMany(ctx, writes[from:to], done[from:to]) },
		func(i int) error { return done[i].Err },
		func(i int, err error) { done[i] = backends.Done{Err: err} })
}

// batch makes a call of n elements. Apply makes that of some of them, errOf returns the
// error that it has left for one, and fail puts another in its place.
func (f *Faults[V]) batch(
	ctx context.Context, kind tier.Kind, n int,
	apply func(ctx context.Context, from, to int), errOf func(i int) error, fail func(i int, err error),
) {
	at := f.takeAt(kind)
	err := f.do(ctx, kind, func(ctx context.Context) error {
		for from := 0; from < n; {
			to := from
			for to < n && (to >= len(at) || at[to] == nil) {
				to++
			}
			if to > from {
				apply(ctx, from, to)
			}
			if to < n {
				if err := at[to](ctx, func(ctx context.Context) error { apply(ctx, to, to+1); return errOf(to) }); err != nil {
					fail(to, err)
				}
				to++
			}
			from = to
		}
		return nil
	})
	if err == nil {
		return
	}
	for i := range n {
		fail(i, err)
	}
}

// takeAt returns the faults of the elements of a batch that begins.
func (f *Faults[V]) takeAt(kind tier.Kind) []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.at[kind]
	f.at[kind] = nil
	return at
}
