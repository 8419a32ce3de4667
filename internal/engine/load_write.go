package engine

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/tier"
)

// runFenced is run for a loaded value. If the fence is broken, nothing is written or
// recorded.
func (w *write[V]) runFenced(ctx context.Context, fence *keylock.Fence) tier.Refilled {
	e, key := w.engine, w.op.Key
	stageErr := w.takeSource()
	if stageErr == nil {
		stageErr = w.stage(ctx)
	}
	if e.holds(ctx, key) {
		w.free()
		return tier.RefillFenced // by the write that the load is made in
	}
	if err := e.locks.AcquireFenced(w.member.pausing(ctx), &w.lock, fence); err != nil {
		w.free()
		if errors.Is(err, keylock.ErrFenced) {
			return tier.RefillFenced
		}
		return tier.RefillFailed
	}
	started := false
	defer func() {
		if !started { // a span processor has ended the goroutine
			w.lock.Unlock()
		}
	}()
	ctx = w.start(ctx)
	started = true
	if stageErr != nil {
		w.lock.Unlock()
		_ = w.refuse(ctx, stageErr) // the span has it
		return e.notStored(ctx, key, stageErr, !endedByContext(stageErr))
	}
	return w.storeLoaded(ctx)
}

// storeLoaded writes a loaded value, whose key is locked.
func (w *write[V]) storeLoaded(ctx context.Context) tier.Refilled {
	e, key := w.engine, w.op.Key
	var res backends.Result
	if w.when.on {
		w.result = &res
	}
	if w.when.source != 0 && w.supersededByL1(ctx) {
		_ = w.endSuperseded(ctx) // it is no error
		return tier.RefillSuperseded
	}
	switch err := w.proceedLoaded(ctx); {
	case err != nil:
		return e.notStored(ctx, key, err, false)
	case !res.Applied():
		return tier.RefillSuperseded
	default:
		return tier.RefillApplied
	}
}

// notStored tells of a loaded value that can never be stored, because every further
// load of it would be as useless: one that a tier cannot stage, encode or hold.
func (e *Engine[V]) notStored(ctx context.Context, key string, err error, never bool) tier.Refilled {
	if !never && !unstorable(err) {
		return tier.RefillFailed
	}
	e.tel.Unstorable(ctx, key, err)
	return tier.RefillUnstorable
}

// unstorable reports whether err is about the value itself.
func unstorable(err error) bool {
	if _, encode := errors.AsType[*backends.EncodeError](err); encode {
		return true
	}
	_, large := errors.AsType[*backends.TooLargeError](err)
	return large
}

func endedByContext(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
