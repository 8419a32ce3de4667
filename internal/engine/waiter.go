package engine

import (
	"slices"
	"sync"
)

// waiter is a flight as others see it that wait for each other. It knows for which
// flights its own code, the loader, waits:
//
//	t1  the loader of a calls GetOrLoad(b), which is under way: a waits for b
//	t2  the loader of b calls GetOrLoad(a): it would wait for itself
//
// Both loaders may have been called for callers that know nothing of each other. Each
// notes that it waits before it looks whether it may. So of two that do so at once, one
// sees the other, or both do.
type waiter struct {
	mu    sync.Mutex
	waits []*waiter
}

// wait notes that w waits for other, until done is called. It reports false, and notes
// nothing, if other waits for w. A w that is nil is no flight, and may wait for any.
func (w *waiter) wait(other *waiter) bool {
	if w == nil {
		return true
	}
	w.mu.Lock()
	w.waits = append(w.waits, other)
	w.mu.Unlock()
	if other.waitsFor(w, make(map[*waiter]bool)) {
		w.done(other)
		return false
	}
	return true
}

// done is called after wait; w may be nil.
func (w *waiter) done(other *waiter) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.waits, other); i >= 0 {
		w.waits = slices.Delete(w.waits, i, i+1)
	}
}

// waitsFor reports whether w is other or waits for it, in however many steps.
func (w *waiter) waitsFor(other *waiter, seen map[*waiter]bool) bool {
	if w == other {
		return true
	}
	if seen[w] {
		return false
	}
	seen[w] = true
	w.mu.Lock()
	waits := slices.Clone(w.waits)
	w.mu.Unlock()
	return slices.ContainsFunc(waits, func(next *waiter) bool { return next.waitsFor(other, seen) })
}
