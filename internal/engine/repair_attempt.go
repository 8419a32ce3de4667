package engine

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// attemptEnd is the end of one attempt to repair a key.
type attemptEnd uint8

// The ends.
const (
	attemptRefused attemptEnd = iota // a tier did not do its part
	attemptFailed                    // L2 did not answer
	attemptBusy                      // another operation has the key's lock for long
	attemptEarly                     // a request of the key may still arrive
	attemptClosed                    // the key is not open any more
)

// The reasons for which an attempt fails, beside the errors of tiers.
var (
	errNoProof  = errors.New("l2's changes cannot be followed, so nobody knows which server answers")
	errTooLate  = errors.New("l2 refused the repair because it came after its deadline")
	errNoRepair = errors.New("the repair has failed")
)

// attempt is one try to repair a key, which has the key's lock.
type attempt[V any] struct {
	repairs *repairs[V]
	ctx     context.Context //nolint:containedctx // it lives as long as one call
	entry   ledger.Entry
	lock    keylock.Lock
	epoch   uint32 // of coherence, before L2 was asked
	obs     telemetry.Repair

	settled bool // the changes of other processes were compared

	held  bool // L1 has the value of the newest write:
	value backends.Entry[V]
	stamp backends.Stamp
}

// attempt tries to repair a key. It waits for the key's lock for a while at most.
func (p *repairs[V]) attempt(ctx context.Context, key string, wait time.Duration) (end attemptEnd, err error) {
	e := p.engine
	a := &attempt[V]{repairs: p, ctx: context.WithoutCancel(ctx)} // what was told must be compared
	e.tel.Repairs().Prepare(&a.obs)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := e.locks.Acquire(waiting, &a.lock, key); err != nil {
		return attemptBusy, lockError(err, key)
	}
	var (
		open bool
		res  ledger.Resolution
	)
	a.entry, open = p.ledger.Get(key)
	if !open || time.Now().Before(a.entry.Until) {
		a.end()
		return map[bool]attemptEnd{false: attemptClosed, true: attemptEarly}[open], nil
	}
	ctx = e.tel.Repairs().Start(ctx, &a.obs, key, a.entry.Note.Bytes())
	end, err = attemptRefused, errNoRepair
	defer func() { // also when foreign code ends the goroutine
		if end == attemptClosed {
			a.resolve(res)
			a.end()
			e.tel.Repairs().Resolved(ctx, &a.entry, res, time.Now())
		} else {
			a.end()
			a.obs.Failed(err)
		}
		a.obs.End()
	}()
	held, link := e.hold(ctx, key)
	defer link.over.Store(true)
	a.ctx = held
	switch res, err = a.run(); {
	case err == nil:
		end = attemptClosed
	case unanswered(err):
		end = attemptFailed
	}
	return end, err
}

// unanswered reports whether an attempt has failed because L2 does not answer, as far as
// its error says.
func unanswered(err error) bool {
	var of *tier.Error
	var panicked *backends.PanicError
	switch {
	case errors.Is(err, errNoProof):
		return true
	case !errors.As(err, &of), of.Tier != tier.L2, errors.As(err, &panicked):
		return false
	default:
		return !backends.FromHealthyStore(err)
	}
}

// resolve closes the event.
func (a *attempt[V]) resolve(res ledger.Resolution) {
	a.repairs.ledger.Close(a.entry.Key, res)
	a.obs.Resolved(&a.entry, res, time.Now())
}

// end compares the changes of other processes that the holder of the key's lock was told
// of, and unlocks the key.
func (a *attempt[V]) end() {
	defer a.lock.Unlock()
	_ = a.settle(0, 0) // the machine has noted a failure
}

// settle stores the value in L1 if it has a version, unless another process has replaced
// it since.
func (a *attempt[V]) settle(version backends.Version, source uint64) (err error) {
	e := a.repairs.engine
	if a.settled || e.co == nil {
		return nil
	}
	a.settled = true
	_, err = e.co.machine.Store(&a.lock, version, &repaired[V]{a, backends.Stamp{Version: version, Source: source, Epoch: a.epoch}})
	return err
}

// run repairs the key.
func (a *attempt[V]) run() (ledger.Resolution, error) {
	p, e := a.repairs, a.repairs.engine
	if p.watcher == nil || a.entry.Cause == ledger.Stale && !a.entry.Landed {
		return ledger.Dropped, a.drop()
	}
	if a.entry.Base != 0 && e.co.machine.Trusted() == 0 {
		return 0, errNoProof
	}
	a.epoch = e.co.machine.Epoch() // before L2 is asked
	if err := a.askL1(); err != nil {
		return 0, err
	}
	answer, err := a.getL2()
	if err != nil {
		return 0, err
	}
	return a.decide(&answer)
}

// askL1 finds out whether L1 has the value of the newest write.
func (a *attempt[V]) askL1() (err error) {
	var ok bool
	a.value, a.stamp, ok, err = a.getL1()
	a.held = err == nil && ok && a.entry.Held
	return err
}

// decide acts on L2's answer, after the deadlines of all writes of the key.
func (a *attempt[V]) decide(answer *backends.Answer) (ledger.Resolution, error) {
	entry := &a.entry
	own := answer.Operation == entry.Operation && entry.Operation != 0 && answer.Version != 0
	switch {
	case own && entry.Undo:
		return ledger.RolledBack, a.drop()
	case own && entry.Landed: // the older write did not come last
		return ledger.Superseded, a.keep(answer.Version, answer.Source)
	case own:
		return ledger.Applied, a.keep(answer.Version, answer.Source)
	}
	return a.decideOther(answer)
}

// decideOther acts on an answer that is not the write's own.
func (a *attempt[V]) decideOther(answer *backends.Answer) (res ledger.Resolution, err error) {
	entry := &a.entry
	older := entry.Base != 0 && entry.Fenced && entry.Base.Covers(answer.Version)
	nothing := answer.Version == 0
	switch {
	case entry.Landed:
		res = ledger.Superseded // the older write came last, or another process has
	case entry.Decided && (older || nothing):
		res = ledger.RolledBack
	case entry.Kind == tier.Delete && (older || nothing && entry.Base != 0 && entry.Fenced):
		return a.write()
	case older:
		return a.repeat()
	case entry.Base != 0 && entry.Fenced && !nothing:
		res = ledger.Superseded
	default: // nothing is proven
		res = ledger.Dropped
	}
	return res, a.dropAndWatch(answer)
}

// repeat writes the value that L2 lacks, as long as L1 has it and it has not expired.
func (a *attempt[V]) repeat() (ledger.Resolution, error) {
	until := a.entry.ExpiresAt
	expired := !until.IsZero() && !time.Now().Before(until)
	if a.held && !expired {
		return a.write()
	}
	return a.undo()
}

// dropAndWatch drops L1's copy. If L2 still tells of the write some day, the key is opened
// again.
func (a *attempt[V]) dropAndWatch(answer *backends.Answer) error {
	if err := a.drop(); err != nil {
		return err
	}
	a.repairs.resolved.add(&a.entry, max(answer.Version, a.repairs.seen(a.entry.Key)))
	return nil
}
