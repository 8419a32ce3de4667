package engine

import (
	"context"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// read is one read that goes beyond a hit in L1. It raises a fence before it asks L2,
// so that an older entry that it finds there cannot replace a newer one in L1.
type read[V any] struct {
	engine *Engine[V]
	key    string
	obs    telemetry.Read
	fence  keylock.Fence
	lock   keylock.Lock // of the refill
	open   atomic.Int32 // the read itself, and tiers that are being asked

	l1    found[V]
	asked bool   // L1 was asked before the read was set up
	epoch uint32 // of coherence, when the fence was raised

	mode      readMode
	wantStale bool             // an expired value is better than an error
	versions  bool             // the versions of L2's entry are wanted
	least     backends.Version // an entry that is older is an error; 0: none is

	origin *backends.Answer // of L2, with WithConditionalLoads; nil: L2 has told no version

	member  *member[V]  // of a batch of loads; nil: the read is alone
	refills *refills[V] // of a batch of reads; nil: likewise
}

// Get returns the value at key.
func (e *Engine[V]) Get(ctx context.Context, key string, opts []ReadOption) (value V, ok bool, err error) {
	if e.fast != fastValue || ctx == nil || e.closed.Load() || key == "" || len(opts) > 0 {
		return e.getWith(ctx, key, opts)
	}
	value, ok, err = e.lookupValue(ctx, key)
	if ok && err == nil {
		e.tel.CountHit()
		return value, true, nil
	}
	return e.getBeyond(ctx, key, err)
}

// getWith is apart from Get for the same reason as getBeyond.
func (e *Engine[V]) getWith(ctx context.Context, key string, opts []ReadOption) (value V, ok bool, err error) {
	if e.fast == fastStamp && ctx != nil && len(opts) == 0 && !e.closed.Load() && key != "" {
		return e.getStamped(ctx, key)
	}
	res, err := e.read(ctx, key, opts, false)
	return res.entry.Value, res.found(), err
}

// getBeyond is apart from Get, whose frame stays small (budget Get/hit=l1).
func (e *Engine[V]) getBeyond(ctx context.Context, key string, l1Err error) (value V, ok bool, err error) {
	r := e.newRead(key)
	r.l1.err, r.asked = e.missed(key, l1Err), true
	res, err := r.get(ctx)
	return res.entry.Value, res.found(), err
}

// GetEntry returns the entry at key, and what is known of it. An expired value that L1
// keeps takes the place of an error.
func (e *Engine[V]) GetEntry(ctx context.Context, key string, opts []ReadOption) (entry Entry[V], ok bool, err error) {
	res, err := e.read(ctx, key, opts, true)
	if !res.found() {
		return entry, false, err
	}
	return Entry[V]{
		Value: res.entry.Value, ExpiresAt: res.entry.ExpiresAt, Tier: res.Tier,
		Stale: res.Found == tier.LookupStale, Kept: res.Kept, Version: res.version, Source: res.source,
	}, true, err
}

// StoredEntry returns the entry at key as a tier stores it.
func (e *Engine[V]) StoredEntry(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	res, err := e.read(ctx, key, nil, false)
	return res.entry, res.found(), err
}

// read is Get where more than the value of L1 is wanted.
func (e *Engine[V]) read(ctx context.Context, key string, opts []ReadOption, wantStale bool) (res result[V], err error) {
	res.Found = tier.LookupError
	mode, least, err := e.checkRead(ctx, key, opts)
	if err != nil {
		return res, err
	}
	var l1 found[V]
	asked := e.asksL1First(mode)
	if asked {
		l1 = e.lookupL1(ctx, key)
		if l1.hit && l1.atLeast(least) {
			e.countHit(&l1)
			return answerL1(&l1), nil
		}
		e.tel.Count(tier.L1, l1.lookup())
	}
	if mode == atLeast {
		mode, l1, asked = skipL1, found[V]{}, false
	}
	r := e.newRead(key)
	r.l1, r.asked, r.mode, r.wantStale, r.versions, r.least = l1, asked, mode, wantStale, wantStale || least != 0, least
	return r.get(ctx)
}

// checkRead returns what the options of a read ask for, or the error of a read that cannot
// begin.
func (e *Engine[V]) checkRead(ctx context.Context, key string, opts []ReadOption) (mode readMode, least backends.Version, err error) {
	if err := e.check(ctx, key); err != nil {
		return 0, 0, err
	}
	mode, err = modeOf(opts)
	switch {
	case err != nil:
		return 0, 0, err
	case mode == refresh:
		return 0, 0, errRefreshes
	}
	least, err = e.leastVersion(mode, opts)
	return mode, least, err
}

func (e *Engine[V]) newRead(key string) *read[V] {
	r, _ := e.readPool.Get().(*read[V])
	if r == nil {
		r = &read[V]{engine: e}
	}
	r.key = key
	return r
}

// free is called when nothing refers to r any more.
func (r *read[V]) free() {
	r.reset()
	r.engine.readPool.Put(r)
}

// reset makes r as good as new, but for its engine.
func (r *read[V]) reset() {
	if r.engine.observed {
		r.obs = telemetry.Read{}
	}
	r.key, r.l1, r.asked, r.epoch, r.mode, r.wantStale, r.versions = "", found[V]{}, false, 0, 0, false, false
	r.least, r.origin, r.member, r.refills = 0, nil, nil, nil
}

// get reads, observed.
func (r *read[V]) get(ctx context.Context) (res result[V], err error) {
	ctx = r.engine.tel.StartRead(ctx, &r.obs, r.key)
	res.Found = tier.LookupError
	if err = r.begin(); err != nil {
		r.obs.Returned(ctx, res.ReadResult, err)
		return res, err
	}
	returned := false
	err = guard.ErrExited
	defer func() {
		defer func() {
			if r.done() && returned {
				r.free()
			}
		}()
		r.obs.Returned(ctx, res.ReadResult, err)
	}()
	if res, err = r.run(ctx); err == nil && res.tooOld(r.least) {
		res, err = result[V]{ReadResult: telemetry.ReadResult{Found: tier.LookupError, Refill: res.Refill}}, errOutdated
	}
	returned = true
	return res, err
}

// begin raises the fence. From then on Close waits for the read.
func (r *read[V]) begin() error {
	if err := r.engine.locks.Raise(&r.fence, r.key); err != nil {
		return tier.ErrClosed
	}
	r.open.Store(1)
	if co := r.engine.co; co != nil {
		r.epoch = co.machine.Epoch() // before L2 is asked
	}
	return nil
}

// done is called by the read itself and by each tier that it asked in a goroutine.
// The last one lowers the fence.
func (r *read[V]) done() (last bool) {
	if r.open.Add(-1) > 0 {
		return false
	}
	r.fence.Lower()
	return true
}

// run asks the tiers as the policy says, and refills L1.
func (r *read[V]) run(ctx context.Context) (res result[V], err error) {
	from, l2 := r.ask(ctx)
	r.origin = l2.origin // for the write of a load that follows
	return r.conclude(ctx, from, &l2)
}
