package engine

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/tier"
)

// sharedAnswer is the answer of L2 that one read gives to others.
type sharedAnswer[V any] struct {
	found[V]
	leader trace.SpanContext
}

// askShared asks L2, or waits for another read of the key that does:
//
//	t1  a read misses L1, and asks L2: it leads
//	t2  another read misses L1, and follows
//	t3  a write of the key begins, and breaks the fences of both
//	t4  a third read does not follow the first, whose answer may be from before t3
//	t5  L2 answers: each of the first two asks L1 again, because its fence is broken
//
// When the leader is cancelled, one of its followers leads.
//
// A read in a backend, loader, hook or policy does not follow: what it waited for might
// wait for it. It is known by the link in its context, so the leader adds one for what L2
// calls. A tier in the process is read without, because that costs less than a link.
func (r *read[V]) askShared(ctx context.Context) (l2 found[V]) {
	if r.mode != 0 || ctx.Value(linkKey{}) != nil {
		return r.askTier(ctx, tier.L2)
	}
	for again := true; ; {
		w := r.fence.Share()
		if w == nil {
			return r.lead(ctx)
		}
		l2, ok := r.follow(ctx, w)
		switch {
		case !ok:
		case !r.lacksVersions(&l2):
			return l2
		case again:
			again = false // those who want versions may share the next answer
		default:
			return r.askTier(ctx, tier.L2)
		}
	}
}

// lacksVersions reports whether the read wants the versions of L2's answer, and the read
// that got it did not ask for them.
func (r *read[V]) lacksVersions(l2 *found[V]) bool {
	return r.versions && l2.hit && l2.origin == nil && r.engine.l2.Versioned()
}

// follow waits for the answer of the read that leads. Ok is false if it has none to give.
func (r *read[V]) follow(ctx context.Context, w *keylock.Follower) (l2 found[V], ok bool) {
	select {
	case <-w.Ready():
		a, ok := w.Answer().(*sharedAnswer[V])
		if !ok {
			return l2, false
		}
		if !r.lacksVersions(&a.found) {
			r.obs.Shared(a.leader)
		}
		return a.found, true
	case <-ctx.Done():
		return found[V]{err: guard.NewError(tier.L2, tier.Get.String(), r.key, tier.Failed, backends.ContextError(ctx))}, true
	}
}

// lead asks L2 for this read and for those that follow it.
func (r *read[V]) lead(ctx context.Context) (l2 found[V]) {
	l := &link{Context: ctx, cache: r.engine.locks, read: true}
	l2.err = guard.ErrExited
	defer func() {
		l.over.Store(true)
		r.fence.Answer(func() any {
			if l2.err != nil && (ctx.Err() != nil || l2.err == guard.ErrExited) { //nolint:errorlint // it is this one
				return nil // the error is this read's own
			}
			a := &sharedAnswer[V]{l2, r.obs.SpanContext()}
			a.shared = true
			return a
		})
	}()
	return r.askTier(l, tier.L2) //nolint:contextcheck // l is a context made of ctx
}
