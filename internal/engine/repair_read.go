package engine

import (
	"context"

	"github.com/tiercache/tiercache/internal/ledger"
)

// bar makes L2's copy of an open key none, unless it is that of the write which diverged,
// or certainly newer than the base of it: the key is a tombstone here. Before is the key's
// entry of the time before L2 was asked:
//
//	t1  the key is open, and readers find none
//	t2  a read gets L2's copy
//	t3  a repair removes that, and closes the key
//	t4  the read must not return what readers before it did not find
func (e *Engine[V]) bar(key string, f *found[V], before *ledger.Entry) {
	if !f.hit {
		return
	}
	entry := e.barring(key)
	if entry == nil {
		entry = before
	}
	if entry == nil {
		return
	}
	f.barred = true
	if f.origin == nil || !entry.Admits(f.origin.Version, f.origin.Operation) {
		f.hit, f.unchanged, f.origin = false, false, nil
	}
}

// barring returns the entry of a key whose copy in L2 is barred, and otherwise nil.
func (e *Engine[V]) barring(key string) *ledger.Entry {
	if !e.bars() {
		return nil
	}
	entry, open := e.repairs.ledger.Get(key)
	if !open {
		return nil
	}
	found := entry // on the heap only now
	return &found
}

// barringAll is barring for a batch. It returns nil if no key is open.
func (e *Engine[V]) barringAll(keys []string) (all []*ledger.Entry) {
	if !e.bars() {
		return nil
	}
	all = make([]*ledger.Entry, len(keys))
	for i, key := range keys {
		all[i] = e.barring(key)
	}
	return all
}

// closedToRefill reports whether the key is open in a cache that knows no versions: there,
// nothing tells a newer entry of L2 from the one that has diverged.
func (e *Engine[V]) closedToRefill(key string) bool {
	return e.repairs != nil && e.repairs.watcher == nil && e.opened(key)
}

// bars reports whether any key may be barred.
func (e *Engine[V]) bars() bool {
	p := e.repairs
	return p != nil && p.watcher != nil && p.ledger.Len() != 0
}

// opened reports whether the key is open, so that nothing may be stored in L1.
func (e *Engine[V]) opened(key string) bool {
	p := e.repairs
	if p == nil || p.ledger.Len() == 0 {
		return false
	}
	_, open := p.ledger.Get(key)
	return open
}

// repairFirst repairs a key whose value in L2 is about to be changed.
func (e *Engine[V]) repairFirst(ctx context.Context, key, call string) error {
	if !e.opened(key) {
		return nil
	}
	return e.repairNow(ctx, key, call)
}
