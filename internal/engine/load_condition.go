package engine

import (
	"context"
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// checkConditionalLoads returns the error of an L2 that cannot decide the writes of loads.
func (e *Engine[V]) checkConditionalLoads() error {
	if e.config.ConditionalLoads && !e.l2.Versioned() {
		return fmt.Errorf("%w: WithConditionalLoads needs an l2 that keeps versions: %w", tier.ErrInvalid, errNoVersions)
	}
	return nil
}

// askFirst asks L2 before a load that does not begin with a miss, so that its write has a
// condition:
//
//	t1  a refresh asks L2, which has version 5
//	t2  the loader reads the source
//	t3  another process changes the row, and deletes the key
//	t4  the refresh writes the row of t2, unless version 5 is not there any more
func (l *load[V]) askFirst(ctx context.Context) {
	r := l.read
	if !r.engine.config.ConditionalLoads {
		return
	}
	if l.ahead {
		r.engine.tel.StartRefresh(ctx, &r.obs)
	}
	r.versions = true
	l2 := r.askTier(ctx, tier.L2)
	r.origin = l2.origin
}

// setCondition lets L2 decide the write of a load, if the cache wants that. A deletion goes
// by the policy if L2 has not told a version: to remove too much costs no more than a load.
func (l *load[V]) setCondition(w *write[V]) {
	if !w.engine.config.ConditionalLoads {
		return
	}
	cond, known := l.read.unchanged()
	if known || w.op.Kind == tier.Set {
		w.when = conditional{on: true, test: telemetry.ConditionUnchanged, cond: cond}
	}
}

// unchanged returns the condition that nobody has changed the key since the read asked L2.
// Known is false if L2 has told no version: then nothing may be there, not even a deletion.
func (r *read[V]) unchanged() (cond backends.Condition, known bool) {
	switch o := r.origin; {
	case o == nil:
		return backends.AbsentAt(0), false
	case o.Found == backends.Miss:
		return backends.AbsentAt(o.Version), true
	case o.Version == 0: // an entry that was stored without one
		return backends.AbsentAt(0), false
	default:
		return backends.Is(o.Version), true
	}
}
