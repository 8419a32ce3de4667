package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/tier"
)

// Coherence is the configuration of a cache that shares L2 with other processes.
type Coherence struct {
	On     bool
	Bound  time.Duration
	OnLost OnLost
}

// OnLost is the answer to a read whose entry in L1 is not known to be fresh.
type OnLost uint8

// The answers; see package tiercache.
const (
	AskL2 OnLost = iota + 1
	ServeStale
)

// MinBound is the least bound. A store proves that it is in sync about four times a
// second, and one time may be missed.
const MinBound = 500 * time.Millisecond

// coherent is the part of an engine that takes note of other processes. It is the target
// of the machine.
type coherent[V any] struct {
	engine     *Engine[V]
	machine    *coherence.Machine
	serveStale bool
	stop       context.CancelFunc
	stopped    chan struct{} // closed when the store's reader has ended
}

// checkCoherence returns the error of tiers that cannot be coherent.
func checkCoherence[V any](cfg Coherence, l1, l2 backends.Backend[V], first, second backends.Description) error {
	refuse := func(why string) error { return fmt.Errorf("%w: WithCoherence: %s", tier.ErrInvalid, why) }
	switch {
	case cfg.Bound < MinBound:
		return refuse(fmt.Sprintf("the bound is %v: it must be at least %v, twice the time between two heartbeats", cfg.Bound, MinBound))
	case cfg.OnLost != AskL2 && cfg.OnLost != ServeStale:
		return refuse("choose the result of a read when coherence is lost: AskL2 or ServeStale")
	case !first.InProcess || backends.AsStamped(l1) == nil || backends.AsWalker(l1) == nil:
		return refuse("l1 must be in the process, keep stamps and allow walks: use otterbackend, for instance")
	case alone(second):
		return nil
	case backends.AsWatcher(l2) == nil || backends.AsVersioned(l2) == nil:
		return refuse("l2 must issue versions and log all changes: for instance, use redisbackend with WithLog")
	case second.Abilities.StaleReads:
		return refuse("l2 reads replicas, which may lag behind its log: let it read the primary")
	default:
		return nil
	}
}

// alone reports whether an L2 is in this process alone, so that nobody else writes to it.
// One that has a log is there for several caches.
func alone(l2 backends.Description) bool { return (l2.InProcess || l2.Local) && !l2.Abilities.Log }

// startCoherence begins to follow the store.
func (e *Engine[V]) startCoherence(l2 any) {
	cfg := e.config.Coherence
	if !cfg.On || alone(e.l2.Description()) {
		return
	}
	c := &coherent[V]{engine: e, serveStale: cfg.OnLost == ServeStale, stopped: make(chan struct{})}
	c.machine = coherence.New(cfg.Bound, e.locks, c, e.tel.Coherence())
	e.tel.Coherence().Observe(c.machine.Status)
	e.co = c
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	go func() {
		defer close(c.stopped)
		c.machine.Follow(ctx, listening[V]{backends.AsWatcher(l2), e.repairs})
	}()
}

// close waits until the store's reader has ended and all events are out.
func (c *coherent[V]) close(ctx context.Context) error {
	select {
	case <-c.stopped:
	case <-ctx.Done():
		return fmt.Errorf("the reader of l2's changes is still running: %w", backends.ContextError(ctx))
	}
	if err := c.machine.Close(ctx); err != nil {
		return fmt.Errorf("events of coherence are still being logged: %w", err)
	}
	return nil
}

// Status is the state of coherence. On is false for a cache without it, and for one whose
// L2 is in this process alone; nothing else is set then.
type Status struct {
	On bool
	coherence.Status
}

// Status returns the state of coherence.
func (e *Engine[V]) Status() Status {
	if e.co == nil {
		return Status{}
	}
	return Status{On: true, Status: e.co.machine.Status()}
}

// Stamp implements [coherence.Copies].
func (c *coherent[V]) Stamp(key string) (stamp backends.Stamp, ok bool, err error) {
	_, stamp, ok, err = c.engine.l1.GetStamped(context.Background(), key)
	return stamp, ok, err
}

// Drop implements [coherence.Copies].
func (c *coherent[V]) Drop(key string) error {
	ctx, link := c.engine.hold(context.Background(), key)
	defer link.over.Store(true)
	return c.engine.l1.Delete(ctx, key)
}

// Forget implements [coherence.Memory].
func (c *coherent[V]) Forget(key string) {
	c.engine.negatives.Drop(key)
	c.engine.loaders.forget(key)
}

// ForgetAll implements [coherence.Memory].
func (c *coherent[V]) ForgetAll() {
	c.engine.negatives.Clear()
	c.engine.loaders.forgetAll()
}
