package engine

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

// Stage stages an entry in both tiers, and forgets it.
func (e *Engine[V]) Stage(ctx context.Context, key string, entry backends.Entry[V]) error {
	for _, t := range []*guard.Tier[V]{e.l1, e.l2} {
		if _, err := t.Stage(ctx, key, entry); err != nil {
			return err
		}
	}
	return nil
}

// stageOrRefuse stages, and ends the write if that fails.
func (w *write[V]) stageOrRefuse(ctx context.Context) (err error) {
	cause := guard.ErrExited
	defer func() {
		if cause != nil {
			err = w.refuse(ctx, cause)
		}
	}()
	cause = w.stage(ctx)
	return nil
}

// stage prepares a Set in both tiers, so that an entry that cannot be written changes
// neither.
func (w *write[V]) stage(ctx context.Context) (err error) {
	e := w.engine
	if w.op.Kind != tier.Set {
		return nil
	}
	if e.rewrites {
		w.l1Entry = w.entry
		w.l1Entry.ExpiresAt = e.lifetime.inL1(w.entry.ExpiresAt)
	}
	if !e.stages {
		return nil
	}
	both := [...]*policyTier[V]{&w.l1, &w.l2}
	stages := both[:]
	if w.when.on {
		stages = both[:1] // L2 is written first, and refuses what it cannot write
	}
	for _, t := range stages {
		if t.staged, err = t.tier.Stage(ctx, w.op.Key, *w.entryFor(t.id)); err != nil {
			return err
		}
	}
	return nil
}

func (w *write[V]) entryFor(id tier.ID) *backends.Entry[V] {
	if id == tier.L1 && w.engine.rewrites {
		return &w.l1Entry
	}
	return &w.entry
}
