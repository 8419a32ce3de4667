package tiercache

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/engine"
)

// OnLost chooses the result of a read when L1 has an entry that another process may have replaced.
type OnLost = engine.OnLost

// The values of OnLost, for [WithCoherence].
const (
	// AskL2 asks L2, which sends no value if it still has the version of L1's entry. If L2 cannot
	// be read, the read fails as if L1 had no entry; see [WithStaleIfError].
	AskL2 = engine.AskL2

	// ServeStale returns the entry of L1, flagged: [Entry.Stale] is set, the span and the metrics
	// of the read have the result "stale". Once the changes of L2 can be followed again, reads ask
	// L2; if that fails, they still return the entry, flagged.
	ServeStale = engine.ServeStale
)

// WithCoherence keeps L1 coherent with the writes of other processes that share L2. A hit in L1
// that is not flagged as stale shows a value that no write had replaced in L2 longer ago than
// bound, when the hit began. Where this cannot be proven, onLost decides. Neither has a default.
// Bound must be at least 500 ms; one or two seconds is sensible.
//
// The cache follows the log of changes in L2, and drops from L1 what others have replaced. When it
// may have missed a change, for instance because the connection was cut for long or L2 failed over,
// it does not empty L1: each entry of L1 is compared with L2 when it is next read. The loss is
// logged once, and so is its end; see [Cache.Status] and the metrics. The option costs a hit one
// reading of the clock.
//
// L2 must issue versions, log every change, and read its primary; L1 must keep stamps. New returns
// an error that wraps [ErrInvalid] otherwise. An L2 that is in this process alone, such as
// badgerbackend, needs no log, because nobody else writes to it; so no other cache may have the
// same keys in it. The bound holds for writes that are in the log: all writes through the same kind
// of backend, by a cache or not, but not those of other programs.
//
// With a write policy that writes L1 first, other readers see the new value in L1 only
// when L2 has it, and until then ask L2. Each value that is staged for L2 is encoded
// twice.
func WithCoherence(bound time.Duration, onLost OnLost) Option {
	return optionFunc(func(c config) config {
		c.Coherence = engine.Coherence{On: true, Bound: bound, OnLost: onLost}
		return c
	})
}

// Status is the state of a cache. More fields may be added.
type Status struct {
	// Coherence says whether hits in L1 are trusted; see [WithCoherence].
	Coherence CoherenceStatus

	// Repair says which keys wait for repair.
	Repair RepairStatus
}

// RepairStatus is the state of the repair of keys whose tiers may differ. At any instant
// Opened - Closed = Open.
type RepairStatus struct {
	// On reports whether the cache repairs keys: with [WithCoherence] or [WithDropDiverged]. If it
	// is false, no other field is set.
	On bool

	// Open is the number of keys whose tiers may differ.
	Open int

	// Opened and Closed count the differences that began and ended. Dropped counts those for which
	// the ledger had no room: L1 dropped its copy, and L2 was left as it was.
	Opened, Closed, Dropped uint64

	// Oldest is the instant since which the tiers of the oldest open key have differed. It is zero
	// if no key is open.
	Oldest time.Time

	// Keys are up to 100 of the open keys, the oldest first.
	Keys []OpenKey
}

// OpenKey is a key whose tiers may differ.
type OpenKey struct {
	Key   string
	Since time.Time

	// Cause is "unknown" (nobody knows whether L2 has the write), "missing" (L2 lacks a
	// Set that L1 has), "kept" (L2 kept what a Delete should remove), "no_tier" (neither
	// tier has a Set) or "stale" (L1 did not drop its copy).
	Cause string
}

// CoherenceStatus is the state of the coherence with other processes.
type CoherenceStatus struct {
	// On reports whether the cache follows other processes. If it is false, no other field is set.
	// It is false where L2 is in this process alone.
	On bool

	// Trusted reports whether L1 is trusted: an entry that was compared with L2 since the last loss
	// is returned as fresh.
	Trusted bool

	// Cause is the reason why hits are not trusted: "joining", "closed", "overdue" (L2 has not
	// proven for longer than the bound that all its changes are known), "l1" (L1 did not drop an
	// entry), or the name of a [backends.Loss], such as "trimmed". It is empty while they are
	// trusted.
	Cause string

	// Since is the instant at which Trusted last changed.
	Since time.Time

	// Epoch counts the losses after which each entry of L1 is compared with L2. It
	// begins at 1. Losses without a time in sync between them count once.
	Epoch uint32

	// SyncedAge is the time since the instant up to which all changes in L2 are known.
	// It is negative while there is none.
	SyncedAge time.Duration
}

// Status returns the present state of coherence and repair. It is safe for concurrent use.
func (c *Cache[V]) Status() (status Status) {
	if s := c.engine.Status(); s.On {
		status.Coherence = CoherenceStatus{
			On: true, Trusted: s.Trusted, Cause: s.Cause, Since: s.Since, Epoch: s.Epoch, SyncedAge: s.Synced,
		}
	}
	s, on := c.engine.RepairStatus()
	if !on {
		return status
	}
	r := RepairStatus{On: true, Open: s.Open, Dropped: s.Full, Oldest: s.Oldest}
	r.Opened, r.Closed = s.Events()
	for i := range s.Entries {
		e := &s.Entries[i]
		r.Keys = append(r.Keys, OpenKey{Key: e.Key, Since: e.Since, Cause: e.Cause.String()})
	}
	status.Repair = r
	return status
}

// Repair repairs the key now, if its tiers may differ; the cache would otherwise do so later. It
// first waits until no earlier write of the key can reach L2 any more, or until ctx ends. When it
// returns nil, the key is no longer open. Otherwise the error wraps [ErrDiverged]; for an empty key
// it wraps [ErrInvalid].
func (c *Cache[V]) Repair(ctx context.Context, key string) error {
	return c.engine.Repair(ctx, key)
}
