package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/tier"
)

// Repair repairs a key now, or returns an error that wraps [tier.ErrDiverged].
func (e *Engine[V]) Repair(ctx context.Context, key string) error {
	if err := e.check(ctx, key); err != nil {
		return err
	}
	return e.repairNow(ctx, key, "repair")
}

// repairNow repairs an open key for a caller who waits for it.
func (e *Engine[V]) repairNow(ctx context.Context, key, call string) error {
	p := e.repairs
	if p == nil || p.ledger.Len() == 0 {
		return nil
	}
	if e.holds(ctx, key) {
		return errHeld
	}
	if err := p.repair(ctx, key); err != nil {
		return fmt.Errorf("tiercache: %s: %w: %w", call, tier.ErrDiverged, err)
	}
	return nil
}

// repair repairs the key, unless it is not open. It returns the error of the first attempt
// that fails.
func (p *repairs[V]) repair(ctx context.Context, key string) error {
	for {
		entry, open := p.ledger.Get(key)
		if !open {
			return nil
		}
		if err := waitUntil(ctx, entry.Until); err != nil {
			return fmt.Errorf("waiting for the deadline of the write: %w", guard.WithoutKey(err, key))
		}
		switch end, err := p.attempt(ctx, key, p.timeout); end {
		case attemptClosed:
			p.poke()
			return nil
		case attemptEarly: // another write has come in between
		case attemptRefused, attemptFailed, attemptBusy:
			return err
		}
	}
}

func waitUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t) + 1)
	defer timer.Stop()
	select {
	case <-timer.C:
		return backends.ContextError(ctx)
	case <-ctx.Done():
		return backends.ContextError(ctx)
	}
}

// RepairStatus returns the state of the ledger. On is false for a cache that repairs
// nothing.
func (e *Engine[V]) RepairStatus() (s ledger.Status, on bool) {
	if e.repairs == nil {
		return s, false
	}
	return e.repairs.ledger.Status(statusLimit), true
}
