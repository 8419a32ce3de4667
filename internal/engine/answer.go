package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// result is the result of a read.
type result[V any] struct {
	entry   backends.Entry[V]
	version backends.Version // 0: unknown
	source  uint64           // 0: none, or unknown

	// replaced is the version of the entry of L2 that is older than this one of L1, by the
	// versions of their source.
	replaced backends.Version
	telemetry.ReadResult
}

// Entry is the result of a read, with the tier that had it.
type Entry[V any] struct {
	Value     V
	ExpiresAt time.Time
	Tier      tier.ID
	Stale     bool
	Kept      bool
	Version   backends.Version
	Source    uint64
}

// found reports whether there is a value.
func (r *result[V]) found() bool { return r.Found == tier.LookupHit || r.Found == tier.LookupStale }

// conclude makes the result of the answers of the tiers. From is the tier whose answer
// counts, 0 if none has the value.
func (r *read[V]) conclude(ctx context.Context, from tier.ID, l2 *found[V]) (res result[V], err error) {
	switch {
	case from != tier.L1 && r.overtaken(ctx):
		return r.concludeOvertaken(l2), nil
	case from == tier.L1 && r.l1.hit:
		return answerL1(&r.l1), nil
	case from == tier.L1:
		return suspectAnswer(&r.l1), nil
	case from == tier.L2:
		return r.concludeHit(ctx, l2), nil
	case r.l1.err != nil || l2.err != nil:
		return r.concludeFailed(l2)
	default:
		return r.concludeMiss(ctx, l2), nil
	}
}

// overtaken reports whether a write has begun since L1 was asked, and L1 has its value by
// now, which is the answer then.
func (r *read[V]) overtaken(ctx context.Context) bool {
	return !r.engine.reads.Concurrent && r.mode == 0 && r.fence.Broken() && r.recheck(ctx)
}

// concludeOvertaken makes the result of the value that recheck has found.
func (r *read[V]) concludeOvertaken(l2 *found[V]) result[V] {
	res := answerL1(&r.l1)
	if l2.hit && !l2.shared && !r.engine.config.NoRefill {
		res.Refill = tier.RefillFenced // L1 did not get the entry of L2
	}
	return res
}

// concludeHit makes the result of the entry of L2, and stores that in L1.
func (r *read[V]) concludeHit(ctx context.Context, l2 *found[V]) result[V] {
	res := answerL2(l2)
	if res.Shared = l2.shared; l2.shared {
		return res // the other read refills L1
	}
	if res.Refill = r.refill(ctx, l2); res.Refill == tier.RefillSuperseded {
		refill, replaced := res.Refill, res.version
		res = answerL1(&r.l1)
		res.Refill, res.replaced = refill, replaced
	}
	return res
}

// concludeFailed makes the result of a read that a tier has failed: what L1 has left for
// such times, or the error.
func (r *read[V]) concludeFailed(l2 *found[V]) (res result[V], err error) {
	switch {
	case r.engine.servesSuspect(&r.l1):
		return suspectAnswer(&r.l1), nil
	case r.wantStale && r.l1.stale:
		return result[V]{entry: r.l1.entry, ReadResult: staleResult(&r.l1)}, nil
	}
	res.Found = tier.LookupError
	return res, getError(r.l1.err, l2.err)
}

// concludeMiss makes the result of a read that has found nothing, unless L1 has an entry
// that may be served, and drops the one that may not.
func (r *read[V]) concludeMiss(ctx context.Context, l2 *found[V]) (res result[V]) {
	switch {
	case r.l1.suspect == coherence.NotSuspect || r.mode == skipL2:
	case l2.barred && r.engine.servesSuspect(&r.l1): // the value of the write that diverged
		return suspectAnswer(&r.l1)
	case !l2.barred && !l2.shared:
		r.dropSuspect(ctx)
	}
	res.noteOrigin(l2.origin)
	res.Found, res.Shared = tier.LookupMiss, l2.shared
	return res
}

func answerL1[V any](f *found[V]) result[V] {
	return result[V]{
		entry: f.entry, version: f.stamp.Version, source: f.stamp.Source,
		ReadResult: telemetry.ReadResult{Found: tier.LookupHit, Tier: tier.L1, Kept: f.kept},
	}
}

func answerL2[V any](f *found[V]) result[V] {
	res := result[V]{entry: f.entry, ReadResult: telemetry.ReadResult{Found: tier.LookupHit, Tier: tier.L2}}
	res.noteOrigin(f.origin)
	return res
}

// suspectAnswer is that of L1 which is not known to be fresh.
func suspectAnswer[V any](f *found[V]) result[V] {
	res := answerL1(f)
	res.ReadResult = suspectResult()
	return res
}

// noteOrigin notes the versions that L2 has told, if it has.
func (r *result[V]) noteOrigin(origin *backends.Answer) {
	if origin != nil {
		r.version, r.source = origin.Version, origin.Source
	}
}

// recheck asks L1 once more, after a write has begun that L2 may have and L1 did not:
//
//	t1  the read finds nothing in L1
//	t2  a write begins, and breaks the fence
//	t3  the read finds the old state in L2, and the write reaches L1
//
// Those who come later find the new value in L1, so the read must not return the old
// state. If L1 has nothing even now, no older entry will come: only writes and refills
// store entries there, and they queue behind the write. It does not end with the
// caller's context, because a cancelled lookup would say nothing about L1.
func (r *read[V]) recheck(ctx context.Context) bool {
	ctx, cancel := r.engine.l1.Limit(context.WithoutCancel(ctx))
	defer cancel()
	l1 := r.engine.lookupL1(ctx, r.key)
	if l1.err == nil && l1.hit {
		r.l1 = l1
		return true
	}
	return false
}
