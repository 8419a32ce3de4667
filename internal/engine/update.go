package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// Changer returns the value that takes the place of old. Ok is false if there is none.
type Changer[V any] func(old V, ok bool) (V, error)

// The bounds of an update. No lock is held while the caller's function runs, because it
// may call the cache.
const (
	maxAttempts = 100
	minPause    = time.Millisecond
	maxPause    = 64 * time.Millisecond
)

// update is one read, change and write of a value, which is repeated while other
// writers are faster.
type update[V any] struct {
	engine *Engine[V]
	obs    telemetry.Update
	key    string
	ttl    time.Duration
	change Changer[V]
}

// Update replaces the value at key by the one that change makes of it.
func (e *Engine[V]) Update(ctx context.Context, key string, ttl time.Duration, change Changer[V]) (value V, err error) {
	u := update[V]{engine: e, key: key, ttl: ttl, change: change}
	if change == nil {
		return value, errNilChanger
	}
	if err := e.checkConditional(ctx, key, ttl); err != nil {
		return value, err
	}
	if err := e.repairFirst(ctx, key, "update"); err != nil {
		return value, err
	}
	ctx = e.tel.StartUpdate(ctx, &u.obs, key)
	attempts := 0
	err = guard.ErrExited
	defer func() { u.obs.Returned(ctx, attempts, err) }()
	value, err = u.run(ctx, &attempts)
	return value, err
}

// run tries until no other writer was faster.
func (u *update[V]) run(ctx context.Context, attempts *int) (value V, err error) {
	for *attempts < maxAttempts {
		*attempts++
		value, done, err := u.attempt(ctx)
		if done || err != nil {
			return value, err
		}
		if err := pause(ctx, *attempts); err != nil {
			return value, u.failed(guard.WithoutKey(err, u.key))
		}
	}
	return value, u.failed(tier.ErrConflict)
}

// attempt reads, changes and writes the value once. Done is false if another writer was
// faster.
func (u *update[V]) attempt(ctx context.Context) (value V, done bool, err error) {
	entry, answer, err := u.read(ctx)
	if err != nil {
		return value, false, u.failed(err)
	}
	cond := backends.Absent()
	if answer.Found == backends.Hit {
		if answer.Version == 0 {
			return value, false, u.failed(errNoVersion)
		}
		cond = backends.Is(answer.Version)
	}
	changed, err := u.changed(entry.Value, answer.Found == backends.Hit)
	if err != nil {
		return value, false, u.failed(guard.WithoutKey(err, u.key))
	}
	res, err := u.engine.SetIf(ctx, u.key, changed, u.ttl, cond)
	switch {
	case err != nil: // the value is returned only when it is the key's
		return value, false, err
	case res.Refused == backends.RefusedSource: // no other attempt would change that
		return value, false, u.failed(errOlderSource)
	default:
		return changed, res.Applied(), nil
	}
}

// read asks L2, because L1 may have an older value.
func (u *update[V]) read(ctx context.Context) (entry backends.Entry[V], answer backends.Answer, err error) {
	var call telemetry.TierCall
	e := u.engine
	var fence keylock.Fence // for Close, which waits for the read
	if err := e.locks.Raise(&fence, u.key); err != nil {
		return entry, answer, tier.ErrClosed
	}
	defer fence.Lower()
	l := &link{Context: ctx, cache: e.locks, read: true}
	defer l.over.Store(true)
	ctx = u.obs.StartTier(l, &call, tier.L2, tier.Get) //nolint:contextcheck // l is a context made of ctx
	found := tier.LookupError
	err = guard.ErrExited
	defer func() {
		e.tel.Count(tier.L2, found)
		defer call.End()
		call.Found(ctx, found, err)
	}()
	if entry, answer, err = e.l2.GetIf(ctx, u.key, 0); err == nil {
		found = tier.LookupMiss
		if answer.Found == backends.Hit {
			found = tier.LookupHit
		}
	}
	return entry, answer, err
}

// changed calls the caller's function.
func (u *update[V]) changed(old V, ok bool) (value V, err error) {
	defer guard.Catch(&err)
	value, err = u.change(old, ok)
	if err != nil {
		_, err = guard.Readable(err, u.key)
	}
	return value, err
}

func (u *update[V]) failed(err error) error { return fmt.Errorf("tiercache: update: %w", err) }

// pause waits before the next attempt, for a random time whose bound doubles each time,
// so that writers in several processes do not stay in step.
func pause(ctx context.Context, attempts int) error {
	bound := min(maxPause, minPause<<min(attempts-1, 10))
	timer := time.NewTimer(rand.N(bound)) //nolint:gosec // it guards nothing
	defer timer.Stop()
	select {
	case <-timer.C:
		return backends.ContextError(ctx)
	case <-ctx.Done():
		return backends.ContextError(ctx)
	}
}

// SetIfAbsent writes the value if L2 has none. Otherwise it returns the entry that is
// there.
func (e *Engine[V]) SetIfAbsent(ctx context.Context, key string, value V, ttl time.Duration) (won Entry[V], stored bool, err error) {
	if err := e.checkConditional(ctx, key, ttl); err != nil {
		return won, false, err
	}
	if err := e.repairFirst(ctx, key, "set"); err != nil {
		return won, false, err
	}
	for attempt := 1; attempt <= maxAttempts; attempt++ {
		won, stored, lost, err := e.trySetIfAbsent(ctx, key, value, ttl)
		if stored || lost || err != nil {
			return won, stored, err
		}
		if err := pause(ctx, attempt); err != nil { // it has gone in the meantime
			return won, false, fmt.Errorf("tiercache: set: %w", guard.WithoutKey(err, key))
		}
	}
	return won, false, fmt.Errorf("tiercache: set: %w", tier.ErrConflict)
}

// trySetIfAbsent writes the value once: it is stored, or has lost against the entry that is
// returned. It is neither if that entry has gone in the meantime.
func (e *Engine[V]) trySetIfAbsent(ctx context.Context, key string, value V, ttl time.Duration) (won Entry[V], stored, lost bool, err error) {
	res, err := e.SetIf(ctx, key, value, ttl, backends.Absent())
	if err != nil {
		return won, false, false, err
	}
	if res.Applied() {
		won.Value, won.Tier, won.Version, won.Source = value, tier.L2, res.Version, res.Source
		if ttl > 0 {
			won.ExpiresAt = expiry(ttl)
		}
		return won, true, false, nil
	}
	won, lost, err = e.GetEntry(ctx, key, []ReadOption{SkipL1})
	if lost || err != nil || res.Refused != backends.RefusedSource {
		return won, false, lost, err
	}
	won, _, err = e.GetEntry(ctx, key, nil) // it was refused for a deletion, or by L1
	return won, false, true, err
}

// checkConditional returns the error of a conditional write that cannot begin.
func (e *Engine[V]) checkConditional(ctx context.Context, key string, ttl time.Duration) error {
	if ttl < 0 {
		return NegativeTTLError(ttl)
	}
	if err := e.check(ctx, key); err != nil {
		return err
	}
	if !e.l2.Versioned() {
		return errNoVersions
	}
	return nil
}
