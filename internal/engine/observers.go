package engine

import (
	"context"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// observers are the functions that follow a write without being part of it. Those of
// began and ended must be quick and must not call the cache: the key is locked.
type observers struct {
	// began is called when a write holds the lock of its key, before it touches a
	// tier.
	began []func(op writepolicy.Op)

	// ended is called when no call of a tier goes on any more, before the key is
	// unlocked.
	ended []func(op writepolicy.Op, results *tier.Pair[tier.Result], verdict tier.Verdict)

	// reported is called after an inconsistency was reported, when the next write
	// of the key may have begun, so it may write the key itself.
	reported []func(ctx context.Context, i tier.Inconsistency)
}

// tell calls all functions, each even if the one before ends the goroutine.
func tell(ctx context.Context, reported []func(context.Context, tier.Inconsistency), i tier.Inconsistency) {
	if len(reported) == 0 {
		return
	}
	defer tell(ctx, reported[1:], i)
	reported[0](ctx, i)
}

// observe fills the list.
func (e *Engine[V]) observe() {
	e.observers.began = append(e.observers.began, func(op writepolicy.Op) { e.loaders.forget(op.Key) })
	e.observers.ended = append(e.observers.ended,
		func(op writepolicy.Op, _ *tier.Pair[tier.Result], _ tier.Verdict) { e.loaders.forget(op.Key) })
	if e.config.KeepLoaded > 0 {
		e.observers.ended = append(e.observers.ended,
			func(op writepolicy.Op, results *tier.Pair[tier.Result], _ tier.Verdict) { e.keptEnded(op, results) })
	}
	if e.config.RefreshAhead > 0 {
		e.observers.began = append(e.observers.began, func(op writepolicy.Op) { e.decidedTTLs.drop(op.Key) })
	}
	if e.negatives != nil {
		e.observers.began = append(e.observers.began, func(op writepolicy.Op) { e.negatives.Drop(op.Key) })
	}
	if hook := e.config.Hook; hook != nil {
		e.observers.reported = append(e.observers.reported, func(ctx context.Context, i tier.Inconsistency) {
			if e.inHook(ctx) {
				return // or a hook that writes while a tier is down would never end
			}
			l := &link{Context: ctx, cache: e.locks}
			defer l.over.Store(true)
			defer guard.Report()
			hook(l, i) //nolint:contextcheck // l is a context made of ctx
		})
	}
}
