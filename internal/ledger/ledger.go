package ledger

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Limits bound a ledger.
type Limits struct {
	Entries int // 0: 10,000
	Bytes   int // of entries and their keys, about; 0: 4 MiB
}

const (
	defaultEntries = 10_000
	defaultBytes   = 4 << 20
	entrySize      = 320 // with its places in the map and in the heap
)

// Ledger is the diverged keys of one cache. Use [New]. It is safe for concurrent use.
type Ledger struct {
	limits Limits
	n      atomic.Int64 // of byKey, so that who finds it empty needs no lock

	mu     sync.Mutex
	byKey  map[string]*Entry
	queue  queue
	bytes  int
	causes [Causes]int
	opened [Causes]uint64
	closed [Resolutions]uint64
	full   uint64 // events for which there was no room

	generation atomic.Uint64
}

// New returns an empty Ledger.
func New(limits Limits) *Ledger {
	if limits.Entries <= 0 {
		limits.Entries = defaultEntries
	}
	if limits.Bytes <= 0 {
		limits.Bytes = defaultBytes
	}
	return &Ledger{limits: limits, byKey: make(map[string]*Entry)}
}

// Len returns the number of open keys, without a lock.
func (l *Ledger) Len() int { return int(l.n.Load()) }

// Open notes that the tiers of a key differ by its newest write. If the key is open, the
// older event ends: replaced is its entry, which was superseded. Kept is false if there
// is no room for the key, which is not open then, and whose event has ended.
func (l *Ledger) Open(e *Entry) (replaced Entry, was, kept bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened[e.Cause]++
	if old := l.byKey[e.Key]; old != nil {
		replaced = *old
		l.closed[Superseded]++
		l.causes[old.Cause]--
		l.renew(old, e)
		old.Cause, old.Note = e.Cause, e.Note
		l.causes[old.Cause]++
		return replaced, true, true
	}
	size := entrySize + len(e.Key)
	if len(l.byKey) >= l.limits.Entries || l.bytes+size > l.limits.Bytes {
		l.closed[Dropped]++
		l.full++
		return replaced, false, false
	}
	added := *e
	added.Base = l.base(e)
	added.next, added.attempts = e.Until, 0
	l.byKey[e.Key] = &added
	heap.Push(&l.queue, &added)
	l.bytes += size
	l.causes[e.Cause]++
	l.n.Store(int64(len(l.byKey)))
	return replaced, false, true
}

// Pass counts an event that has ended when it began. It changes no entry.
func (l *Ledger) Pass(c Cause, r Resolution) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened[c]++
	l.closed[r]++
}

// Renew notes that a later write of an open key was applied, or changed L1: the event
// goes on, because an older request may still arrive.
func (l *Ledger) Renew(e *Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.byKey[e.Key]; old != nil {
		l.renew(old, e)
	}
}

// renew takes over what e says of the newest write. It is called locked.
func (l *Ledger) renew(old, e *Entry) {
	kept := *old
	*old = *e
	old.Base = l.base(e)
	old.Key, old.Cause, old.Note, old.Since, old.index = kept.Key, kept.Cause, kept.Note, kept.Since, kept.index
	old.Until, old.Fenced = later(kept.Until, e.Until), kept.Fenced && e.Fenced
	old.next, old.attempts = old.Until, 0
	heap.Fix(&l.queue, old.index)
}

// base is called locked.
func (l *Ledger) base(e *Entry) backends.Version {
	if e.Generation != l.generation.Load() {
		return 0
	}
	return e.Base
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Get returns the entry of a key.
func (l *Ledger) Get(key string) (e Entry, open bool) {
	if l.n.Load() == 0 {
		return e, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.byKey[key]; found != nil {
		return *found, true
	}
	return e, false
}

// Change lets f change the entry of a key, except for its key, cause and times. F must
// not call l.
func (l *Ledger) Change(key string, f func(e *Entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.byKey[key]; found != nil {
		f(found)
	}
}

// Close ends the event of a key, and returns its entry.
func (l *Ledger) Close(key string, r Resolution) (e Entry, was bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.byKey[key]
	if found == nil {
		return e, false
	}
	delete(l.byKey, key)
	if found.index >= 0 {
		heap.Remove(&l.queue, found.index)
	}
	l.bytes -= entrySize + len(key)
	l.causes[found.Cause]--
	l.closed[r]++
	l.n.Store(int64(len(l.byKey)))
	return *found, true
}

// Generation changes when versions that were known before prove nothing any more. Who
// begins a write reads it before he asks for the base.
func (l *Ledger) Generation() uint64 { return l.generation.Load() }

// Void takes the bases from all entries: the store may give their versions again, to
// other changes.
func (l *Ledger) Void() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.generation.Add(1)
	for _, e := range l.byKey {
		e.Base = 0
	}
}
