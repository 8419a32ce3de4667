package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/flight"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// await waits for the result. It reports false when the caller's context ends before,
// or when there is a stale value and the load takes too long.
func (e *Engine[V]) await(ctx context.Context, f *flight.Flight[load[V]], mode readMode, l1 *found[V]) bool {
	select {
	case <-f.Arrived(): // also if the context has ended at the same moment
		return true
	default:
	}
	soft, stop := e.softLimit(mode, l1)
	defer stop()
	all := pausersOf(ctx) // the flight may be that of another key of their batch
	all.Pause()
	defer all.Resume()
	for {
		select {
		case <-f.Arrived():
			return true
		case <-ctx.Done():
			return false
		case <-soft:
			if e.findStale(ctx, f.Call.read.key, mode, l1) {
				return false
			}
			soft = nil
		}
	}
}

// softLimit returns the channel of the instant from which on a caller rather takes a stale value,
// or nil if it waits for the load.
func (e *Engine[V]) softLimit(mode readMode, l1 *found[V]) (soft <-chan time.Time, stop func()) {
	if e.config.SoftTimeout == 0 || !l1.stale && !e.asksL1Late(mode) {
		return nil, func() {}
	}
	timer := time.NewTimer(e.config.SoftTimeout)
	return timer.C, func() { timer.Stop() }
}

// asksL1Late reports whether the caller of a load has not asked L1, because the load does, and
// would take a value from it. So it is under the concurrent read policies, with spans of hits,
// and with an L1 outside of the process.
func (e *Engine[V]) asksL1Late(mode readMode) bool {
	return e.fast == fastNone && (mode == 0 || mode == skipL2)
}

// askLate asks L1 for a caller whose load cannot begin, because there are too many.
func (e *Engine[V]) askLate(ctx context.Context, key string, mode readMode, l1 *found[V], err error) {
	if e.asksL1Late(mode) && errors.Is(err, tier.ErrOverloaded) {
		*l1 = e.lookupL1(ctx, key)
		e.tel.Count(tier.L1, l1.lookup())
	}
}

// findStale reports whether there is a stale value at hand, for which it asks L1 if need be.
func (e *Engine[V]) findStale(ctx context.Context, key string, mode readMode, l1 *found[V]) bool {
	if !l1.stale && e.config.StaleIfError > 0 && e.asksL1Late(mode) {
		*l1 = e.lookupL1(ctx, key)
	}
	return l1.stale
}

// leave ends the wait of a caller. It gets the value that is at hand: the loaded one, on
// its way to the tiers, or a stale one.
func (e *Engine[V]) leave(
	ctx context.Context, f *flight.Flight[load[V]], mode readMode, obs *telemetry.Read, l1 *found[V],
) (value V, err error) {
	l := &f.Call
	err = backends.ContextError(ctx)
	if err != nil || !e.keepInBackground(f) { //nolint:contextcheck // the load outlives its caller
		f.Leave(err)
	}
	if l.stage.Load() == stageWriting {
		obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupLoad}, nil)
		return l.entry.Value, nil
	}
	if err != nil {
		err = fmt.Errorf("tiercache: get: %s: %w", l.stageName(), guard.WithoutKey(err, l.read.key))
		if e.l1.Description().InProcess { // so it answers at once
			e.findStale(context.WithoutCancel(ctx), l.read.key, mode, l1)
		}
	}
	return e.endWithout(ctx, obs, l1, err)
}

// endWithout returns the value of L1, if it has one, or the error.
func (e *Engine[V]) endWithout(ctx context.Context, obs *telemetry.Read, l1 *found[V], err error) (value V, _ error) {
	switch {
	case l1.stale:
		obs.Returned(ctx, staleResult(l1), nil)
	case l1.hit:
		res := answerL1(l1)
		obs.Returned(ctx, res.ReadResult, nil)
	default:
		obs.Returned(ctx, telemetry.ReadResult{Found: tier.LookupError}, err)
		return value, err
	}
	return l1.entry.Value, nil
}

func staleResult[V any](l1 *found[V]) telemetry.ReadResult {
	if l1.suspect != coherence.NotSuspect {
		return suspectResult()
	}
	return telemetry.ReadResult{Found: tier.LookupStale, Tier: tier.L1, Age: time.Since(l1.entry.ExpiresAt)}
}
