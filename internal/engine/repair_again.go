package engine

import (
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/tier"
)

// undo removes from L2 what is older than a write whose value is not there any more: the
// source has something newer.
func (a *attempt[V]) undo() (ledger.Resolution, error) {
	p, entry := a.repairs, &a.entry
	p.resolved.add(entry, p.seen(entry.Key))
	entry.Kind, entry.Undo, entry.Operation = tier.Delete, true, p.engine.co.machine.Operation()
	p.ledger.Change(entry.Key, func(e *ledger.Entry) {
		e.Kind, e.Undo, e.Operation, e.Held = entry.Kind, true, entry.Operation, false
	})
	a.held = false
	return a.write()
}

// write makes the write again, if nobody was newer than its base.
func (a *attempt[V]) write() (ledger.Resolution, error) {
	p, entry := a.repairs, &a.entry
	e := p.engine
	if now, _ := p.ledger.Get(entry.Key); now.Base == 0 { // another server, in the meantime
		return ledger.Dropped, a.drop()
	}
	w := &backends.Write[V]{
		Key: entry.Key, Kind: entry.Kind, If: backends.NotNewer(entry.Base), Source: entry.Source,
		Operation: entry.Operation, Note: entry.Note.Bytes(), Keep: e.keep,
	}
	if entry.Kind == tier.Set {
		w.Entry = backends.Entry[V]{Value: a.value.Value, ExpiresAt: entry.ExpiresAt}
	}
	var until time.Time
	if w.Before, until = p.deadline(); w.Before.IsZero() {
		return ledger.Dropped, a.drop() // it could arrive at any time
	}
	p.ledger.Extend(entry.Key, until) // for the case that nobody learns of its end
	res, outcome, err := a.writeL2(w)
	if outcome == tier.Failed { // it cannot arrive any more
		p.ledger.Shorten(entry.Key, entry.Until)
	}
	switch {
	case err != nil:
		return 0, err
	case !res.Applied():
		return ledger.Superseded, a.drop()
	case entry.Undo && !entry.ExpiresAt.IsZero() && !time.Now().Before(entry.ExpiresAt):
		return ledger.Expired, a.drop()
	case entry.Undo:
		return ledger.RolledBack, a.drop()
	default:
		return ledger.Applied, a.keep(res.Version, res.Source)
	}
}

// keep leaves in L1 the value that L2 has, if L1 still has it, unless a change of another
// process was told of since.
func (a *attempt[V]) keep(version backends.Version, source uint64) error {
	a.repairs.engine.co.Forget(a.entry.Key)
	if !a.held || a.entry.Kind == tier.Delete {
		return a.drop()
	}
	return a.settle(version, source)
}

// drop removes L1's copy.
func (a *attempt[V]) drop() error {
	if err := a.dropL1(); err != nil {
		a.repairs.distrust()
		return err
	}
	return a.settle(0, 0)
}

// repaired is the holder of a key's lock that stores what was repaired.
type repaired[V any] struct {
	attempt *attempt[V]
	stamp   backends.Stamp
}

// Store implements [coherence.Holder].
func (r *repaired[V]) Store() error { return r.attempt.storeL1(r.stamp) }

// Drop implements [coherence.Holder].
func (r *repaired[V]) Drop() error { return r.attempt.dropL1() }
