package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// ask asks the tiers. It returns the one that has the value, 0 if none has, and the
// answer of L2.
func (r *read[V]) ask(ctx context.Context) (from tier.ID, l2 found[V]) {
	if r.engine.reads.Concurrent && r.mode == 0 {
		return r.askBoth(ctx)
	}
	switch {
	case r.mode == skipL1:
	case !r.asked:
		r.l1 = r.askTier(ctx, tier.L1)
	case r.l1.err != nil:
		r.obs.FailedBefore(ctx, r.l1.err)
	}
	switch {
	case r.l1.hit, r.engine.servesStale(&r.l1), r.mode == skipL2 && r.engine.servesSuspect(&r.l1):
		return tier.L1, l2
	case r.mode == skipL2:
		return 0, l2
	}
	if r.sharesL2() {
		l2 = r.askShared(ctx)
	} else {
		l2 = r.askTier(ctx, tier.L2) // not by way of askShared, which costs 20 ns
	}
	if l2.hit {
		return tier.L2, l2
	}
	return 0, l2
}

// sharesL2 reports whether the read may get the answer of another one. A member of a batch
// has its own, together with the other members.
func (r *read[V]) sharesL2() bool { return r.engine.sharesL2 && r.member == nil }

// askBoth asks both tiers at once. The slower one may go on after the return.
func (r *read[V]) askBoth(ctx context.Context) (from tier.ID, l2 found[V]) {
	plan := r.engine.reads
	if plan.CancelLoser {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	answers := tier.Pair[chan found[V]]{L1: r.goAsk(ctx, tier.L1), L2: r.goAsk(ctx, tier.L2)}
	for range 2 { // each channel has one answer
		var hit bool
		select {
		case r.l1 = <-answers.L1:
			from, hit = tier.L1, r.l1.hit
		case l2 = <-answers.L2:
			from, hit = tier.L2, l2.hit
		}
		if hit && !plan.WaitForBoth {
			return from, l2
		}
	}
	from = r.fresher(&l2)
	return from, l2
}

// fresher returns the tier whose entry expires later: L1 if both expire at once, 0 if
// neither has one.
func (r *read[V]) fresher(l2 *found[V]) tier.ID {
	switch {
	case r.l1.hit && (!l2.hit || !expiresLater(l2.entry.ExpiresAt, r.l1.entry.ExpiresAt)):
		return tier.L1
	case l2.hit:
		return tier.L2
	default:
		return 0
	}
}

// expiresLater reports whether a is later than b; the zero time is never.
func expiresLater(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}

// goAsk asks a tier in a goroutine.
func (r *read[V]) goAsk(ctx context.Context, id tier.ID) chan found[V] {
	r.open.Add(1)
	answer := make(chan found[V], 1)
	go func() {
		f := found[V]{err: guard.NewError(id, tier.Get.String(), r.key, tier.Failed, guard.ErrExited)}
		defer func() {
			answer <- f
			r.done()
		}()
		if id == tier.L2 && r.sharesL2() {
			f = r.askShared(ctx)
		} else {
			f = r.askTier(ctx, id)
		}
	}()
	return answer
}

// askTier asks a tier, observed.
func (r *read[V]) askTier(ctx context.Context, id tier.ID) (f found[V]) {
	var call telemetry.TierCall
	ctx = r.obs.StartTier(ctx, &call, id, tier.Get)
	f.err = guard.ErrExited
	defer func() {
		r.engine.tel.Count(id, f.lookup())
		defer call.End()
		call.Found(ctx, f.lookup(), f.err)
	}()
	var barring *ledger.Entry
	if id == tier.L2 {
		barring = r.engine.barring(r.key)
	}
	switch {
	case id == tier.L1:
		f = r.engine.lookupL1(ctx, r.key)
	case r.member != nil:
		f = r.member.askL2(ctx, r.key)
	case r.engine.co != nil || r.versions && r.engine.l2.Versioned():
		f = r.askCoherent(ctx)
	default:
		f.entry, f.hit, f.err = r.engine.l2.Get(ctx, r.key)
	}
	if id == tier.L2 {
		r.engine.bar(r.key, &f, barring)
	}
	return f
}
