package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/gather"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// batch is one operation on many keys. Each key takes the way that it would take alone, in
// a goroutine of its own, with its own lock and policy; only the calls of tiers are made
// for all keys at once.
type batch[V any] struct {
	engine *Engine[V]
	obs    telemetry.Batch
	ctx    context.Context //nolint:containedctx // of the calls of tiers, without the end of the caller's
	group  *gather.Group[class, *call[V]]
	loader BatchLoader[V]

	members []*member[V] // of the group

	// Of a batch of reads:
	spare *spareReads[V]
	put   func(i int, found Found[V])

	mu     sync.Mutex
	failed []tier.KeyError
	loads  int // under way, which together count as one
}

// class names the calls that are made together.
type class struct {
	tier tier.ID   // 0: of the loader
	kind tier.Kind // Set, Delete, Invalidate, Get or Load
}

// call is the part of one key in a call of a tier, or of the loader.
type call[V any] struct {
	index  int // of the key in the batch
	key    string
	write  *policyTier[V] // of a Set, Delete or Invalidate
	waiter *waiter        // of the load that makes the call; nil: it comes from none

	outcome tier.Outcome        // of a write
	obs     *telemetry.TierCall // of a write, that of all its calls
	found   found[V]            // of a Get
	ctx     context.Context     //nolint:containedctx // of a Load, which lasts no longer
	value   V
	err     error
}

// member is one key of a batch.
type member[V any] struct {
	*gather.Member[class, *call[V]]
	batch  *batch[V]
	index  int     // of the key in the batch
	waiter *waiter // of the load that it is; nil: it is none, or another caller's
	part   *part   // of a batch of loads

	presence presence
}

// leave is Leave; m may be nil.
func (m *member[V]) leave() {
	if m != nil {
		m.Leave()
	}
}

// Item is an entry of a batch.
type Item[V any] struct {
	Key   string
	Value V
}

// Items returns the entries of an iterator, which may be nil, or the error of one that panics.
func Items[V any](entries iter.Seq2[string, V]) (items []Item[V], err error) {
	if entries == nil {
		return nil, nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("tiercache: set: the iterator panicked: %w", err)
		}
	}()
	defer guard.Catch(&err)
	for key, value := range entries {
		items = append(items, Item[V]{Key: key, Value: value})
	}
	return items, nil
}

// SetMany writes all items, each with the TTL.
func (e *Engine[V]) SetMany(ctx context.Context, items []Item[V], ttl time.Duration) error {
	keys := make([]string, len(items))
	for i := range items {
		keys[i] = items[i].Key
	}
	var expiresAt time.Time
	if ttl > 0 {
		expiresAt = expiry(ttl)
	}
	return e.writeMany(ctx, tier.Set, keys, func(i int) backends.Entry[V] {
		return backends.Entry[V]{Value: items[i].Value, ExpiresAt: expiresAt}
	})
}

// DeleteMany removes all keys.
func (e *Engine[V]) DeleteMany(ctx context.Context, keys []string) error {
	return e.writeMany(ctx, tier.Delete, keys, func(int) (none backends.Entry[V]) { return none })
}

func (e *Engine[V]) writeMany(ctx context.Context, kind tier.Kind, keys []string, entry func(i int) backends.Entry[V]) (err error) {
	if ctx == nil {
		return ErrNilContext
	}
	b := &batch[V]{engine: e}
	ctx = b.begin(ctx, kind, len(keys))
	err = guard.ErrExited
	defer func() { b.obs.Returned(ctx, len(b.failed), true, err) }()
	for round := range rounds(keys) {
		for part := range slices.Chunk(round, maxMembers) {
			b.writePart(ctx, kind, keys, part, entry)
		}
	}
	err = b.error(kind, len(keys))
	return err
}

// writePart writes the keys with the indices, which are at most [maxMembers].
func (b *batch[V]) writePart(ctx context.Context, kind tier.Kind, keys []string, indices []int, entry func(i int) backends.Entry[V]) {
	b.group, b.members = gather.New(b.make), nil
	var wg sync.WaitGroup
	for _, i := range indices {
		if err := b.engine.check(ctx, keys[i]); err != nil {
			b.fail(i, err)
			continue
		}
		w := b.engine.newWrite(kind, keys[i])
		w.entry = entry(i)
		member := b.join(i)
		w.joinBatch(member)
		wg.Go(func() {
			err := guard.ErrExited
			defer func() {
				member.Leave()
				b.fail(i, err)
			}()
			err = w.run(ctx)
		})
	}
	b.group.Begin()
	stop := b.watch()
	wg.Wait()
	stop()
}

// join makes a member of the batch.
func (b *batch[V]) join(index int) *member[V] {
	m := &member[V]{Member: b.group.Join(), batch: b, index: index}
	b.members = append(b.members, m)
	return m
}

// joinBatch makes w a part of a batch; m may be nil.
func (w *write[V]) joinBatch(m *member[V]) {
	if m != nil {
		w.member, w.inflight.async = m, true
	}
}

// begin begins to observe the batch.
func (b *batch[V]) begin(ctx context.Context, kind tier.Kind, size int) context.Context {
	ctx = b.engine.tel.StartBatch(ctx, &b.obs, kind, size)
	b.ctx = context.WithoutCancel(ctx)
	return ctx
}

// fail notes the error of a key, if there is one.
func (b *batch[V]) fail(index int, err error) {
	if err == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = append(b.failed, tier.KeyError{Index: index, Err: err})
}

// maxMembers bounds the keys of a batch that are under way at once: each takes two
// goroutines and some 12 KiB, which of a million keys would be 12 GiB.
const maxMembers = 5000

// rounds splits keys into lists of indices, so that no key is twice in a list and the
// later one of two comes in a later list.
func rounds(keys []string) func(yield func(round []int) bool) {
	return func(yield func(round []int) bool) {
		rest := make([]int, len(keys))
		for i := range rest {
			rest[i] = i
		}
		for len(rest) > 0 {
			var round []int
			round, rest = distinct(keys, rest)
			if !yield(round) {
				return
			}
		}
	}
}

// distinct splits indices into those of the first place of each key, and the others.
func distinct(keys []string, indices []int) (first, others []int) {
	seen := make(map[string]struct{}, len(indices))
	for _, i := range indices {
		if _, twice := seen[keys[i]]; twice {
			others = append(others, i)
			continue
		}
		seen[keys[i]] = struct{}{}
		first = append(first, i)
	}
	return first, others
}
