package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/tier"
)

// check returns the error of an operation that cannot begin.
func (e *Engine[V]) check(ctx context.Context, key string) error {
	switch {
	case ctx == nil:
		return ErrNilContext
	case key == "":
		return ErrEmptyKey
	case e.closed.Load():
		return tier.ErrClosed
	default:
		return nil
	}
}

// Errors of arguments.
var (
	ErrNilContext = fmt.Errorf("%w: the context is nil: pass one, such as context.Background()", tier.ErrInvalid)
	ErrEmptyKey   = fmt.Errorf("%w: the key is empty: pass a key of at least one byte", tier.ErrInvalid)
	errNoSource   = fmt.Errorf("%w: the version is 0, which means none: pass the source's version of the deletion", tier.ErrInvalid)
	errNilChanger = fmt.Errorf("%w: the function that changes the value is nil: pass a function", tier.ErrInvalid)
	errNilLoader  = fmt.Errorf("%w: the loader is nil: pass a function", tier.ErrInvalid)
)

// Conditional writes that cannot be made.
var (
	errNoVersions = fmt.Errorf("%w: l2 issues no versions, so it cannot decide a condition: "+
		"use a backend that does (redisbackend or rueidisbackend with WithLog, badgerbackend)", tier.ErrUnsupported)
	errNoVersion = fmt.Errorf("%w: the entry in l2 was stored without a version: set or delete it once", tier.ErrUnsupported)
)

// errOlderSource is the reason why an update is not tried again.
var errOlderSource = fmt.Errorf("%w: l2 has a newer version of the value: read the source again", tier.ErrConflict)

// errLate is the reason why a store refuses a late write.
var errLate = errors.New("the write came after its deadline")

// NegativeTTLError returns the error for a negative TTL.
func NegativeTTLError(ttl time.Duration) error {
	return fmt.Errorf("%w: the TTL is negative (%v): use 0 for an entry that does not expire", tier.ErrInvalid, ttl)
}

// The calls that would wait for themselves.
var (
	errCloseWithin = fmt.Errorf("%w: Close was called in an operation that it would wait for", tier.ErrReentrant)
	errHeld        = fmt.Errorf("%w: the call is made in a write that holds the lock of the key", tier.ErrReentrant)
	errLoading     = fmt.Errorf("%w: the load of the key waits for the loader that asks for it", tier.ErrReentrant)
)

// lockError returns the reason why a write did not acquire its key's lock.
func lockError(err error, key string) error {
	if errors.Is(err, keylock.ErrClosed) {
		return tier.ErrClosed
	}
	return fmt.Errorf("waiting for the key's lock: %w", guard.WithoutKey(err, key))
}

// getError returns the error of a read, on one line.
func getError(l1, l2 error) error {
	switch {
	case l1 == nil:
		return fmt.Errorf("tiercache: get: %w", l2)
	case l2 == nil:
		return fmt.Errorf("tiercache: get: %w", l1)
	default:
		return fmt.Errorf("tiercache: get: %w; %w", l1, l2)
	}
}

// errorOf returns the error of a write whose policy has returned policyErr. A policy
// cannot make it a success when no tier has the value, or when a tier has a copy after
// a delete. It is called locked.
func (w *write[V]) errorOf(policyErr error) error {
	if policyErr == nil && w.tally.Succeeded() {
		return nil
	}
	now := w.tally // a copy, in which calls under way have become unknown
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		if *w.inflight.open.At(id) > 0 {
			now.End(id, tally.Write, now.Begin(), tier.Unknown, nil)
		}
	}
	err := &tier.WriteError{
		Kind: w.op.Kind, Policy: w.policyName(),
		L1: now.Results().L1, L2: now.Results().L2, Verdict: now.Verdict(),
	}
	if !onlyTierErrors(policyErr) {
		err.Cause = guard.WithoutKey(policyErr, w.op.Key)
	}
	return err
}

// onlyTierErrors reports whether err adds nothing to the results of the tiers.
func onlyTierErrors(err error) bool {
	if err == nil {
		return true
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !onlyTierErrors(e) {
				return false
			}
		}
		return true
	}
	_, ok := err.(*tier.Error) //nolint:errorlint // an error that wraps one adds something
	return ok
}
