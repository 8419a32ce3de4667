package engine

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/internal/keylock"
)

// link says, in a context that is given to a stranger's code, what the cache does while
// that code runs. So a call of the cache that would wait for itself can be told. The
// links of a context are a chain: a hook may run in a load, for instance.
//
// A link is itself the context that carries it. It has the values and the end of the
// one that it was added to, in which the rest of the chain is.
type link struct {
	context.Context
	cache  *keylock.Table // which cache it is
	flight *waiter        // of a load; nil: it is another link
	key    string         // of a write or refill, whose lock is held; "": it is another link
	keys   []string       // of a batch of writes, whose locks are held
	member keylock.Pauser // of a batch, whose policy, hook or load it is; nil: none
	read   bool           // of a tier that is asked, or called, for others too
	apart  bool           // nobody who is further up the chain waits
	over   atomic.Bool    // no longer so: the code may have kept the context
}

// linkKey is the key of the innermost link in a context.
type linkKey struct{}

func (l *link) Value(key any) any {
	if _, ok := key.(linkKey); ok {
		return l
	}
	return l.Context.Value(key)
}

// isHook reports whether l is that of a hook.
func (l *link) isHook() bool { return l.flight == nil && l.key == "" && !l.read }

// chain returns the links of a context, the innermost first. Those that nobody waits
// for are left out, except for hooks.
func chain(ctx context.Context) iter.Seq[*link] {
	return func(yield func(*link) bool) {
		apart := false
		for {
			l, _ := ctx.Value(linkKey{}).(*link)
			if l == nil || (!apart || l.isHook()) && !yield(l) {
				return
			}
			apart = apart || l.apart
			ctx = l.Context //nolint:fatcontext // it goes outwards
		}
	}
}

// within reports whether ctx belongs to an operation of the cache that is under way.
func (e *Engine[V]) within(ctx context.Context) bool {
	for l := range chain(ctx) {
		if l.cache == e.locks && !l.over.Load() {
			return true
		}
	}
	return false
}

// holds reports whether the caller holds the lock of the key, so that it would wait for
// itself.
func (e *Engine[V]) holds(ctx context.Context, key string) bool {
	for l := range chain(ctx) {
		if l.cache == e.locks && key != "" && (l.key == key || slices.Contains(l.keys, key)) && !l.over.Load() {
			return true
		}
	}
	return false
}

// inHook reports whether ctx descends from the context of a hook.
func (e *Engine[V]) inHook(ctx context.Context) bool {
	for l := range chain(ctx) {
		if l.cache == e.locks && l.isHook() {
			return true
		}
	}
	return false
}

// afterLoader reports whether the caller is a hook that runs in the flight, whose loader
// has returned. The flight does not land before the hook returns.
func afterLoader(ctx context.Context, flight *waiter) bool {
	hook := false
	for l := range chain(ctx) {
		if l.flight == flight {
			return hook
		}
		hook = hook || l.isHook()
	}
	return false
}

// loading returns the flight in which the caller runs, or nil.
func loading(ctx context.Context) *waiter {
	for l := range chain(ctx) {
		if l.flight != nil && !l.over.Load() {
			return l.flight
		}
	}
	return nil
}

// held is the context of what happens while a key is locked. It does not end, so it has
// no cause either, whatever the context that it is made of has.
type held struct{ link }

// unheld reports whether a context is to stay as it is while a key is locked: it does not
// end, nothing is known to wait, and a link in it would be the only allocation of a
// write (budget Set/policy=sequential/telemetry=off).
func (e *Engine[V]) unheld(ctx context.Context) bool {
	return ctx.Done() == nil && e.trusted && ctx.Value(linkKey{}) == nil
}

// hold returns a context without end, in which the key is locked, and its link.
func (e *Engine[V]) hold(ctx context.Context, key string) (context.Context, *link) {
	h := &held{link{Context: ctx, cache: e.locks, key: key}}
	return h, &h.link
}

func (*held) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (*held) Done() <-chan struct{}                   { return nil }
func (*held) Err() error                              { return nil }
