package badgerbackend

import (
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/header"
	"github.com/tiercache/tiercache/tier"
)

// change is a write that was checked.
type change struct {
	write  *backends.Write[[]byte]
	stored []byte // the key as it is stored
}

// check returns the change that w stands for, or an error that is certainly not
// applied: that of [backends.Write.Check], or a [*backends.TooLargeError].
func (b *Backend) check(w *backends.Write[[]byte]) (change, error) {
	if err := w.Check(); err != nil {
		return change{}, err
	}
	stored, _ := b.storedKey(w.Key)
	value := 0
	if w.Kind == tier.Set {
		value = len(w.Entry.Value)
	}
	if err := b.limits.check(stored, value, header.Size+noteSize(w)); err != nil {
		return change{}, err
	}
	return change{write: w, stored: stored}, nil
}

func noteSize(w *backends.Write[[]byte]) int {
	if len(w.Note) == 0 {
		return 0
	}
	return 1 + len(w.Note)
}

// size returns the number of bytes that c writes, or fewer.
func (c *change) size() int { return len(c.stored) + header.Size + len(c.write.Entry.Value) }

// op returns the name of c at now in errors, and for the space on the disk.
func (c *change) op(now time.Time) string {
	if removes(c.write, now) {
		return "delete"
	}
	return "write"
}

// apply makes one change in a transaction of its own.
func (b *Backend) apply(ctx context.Context, c change) (result backends.Result, err error) {
	if err := b.begin(ctx); err != nil {
		return backends.Result{}, err
	}
	defer b.calls.RUnlock()
	op := c.op(time.Now())
	if err := b.space.check(op, c.size()); err != nil {
		return backends.Result{}, err
	}
	unlock := b.order.lock([]change{c})
	defer unlock()
	refused := false
	err = b.db.Update(func(txn *badger.Txn) error {
		result, err = b.decide(txn, c, time.Now())
		refused = err != nil
		return err
	})
	if err != nil {
		return backends.Result{}, writeError(op, err, refused)
	}
	return result, nil
}

// decide adds c to the transaction, unless it is refused. The caller has locked the key.
func (b *Backend) decide(txn *badger.Txn, c change, now time.Time) (backends.Result, error) {
	var old *record
	if !blind(c.write, now) {
		var err error
		if old, err = find(txn, c.stored); err != nil {
			return backends.Result{}, err
		}
	}
	var source uint64
	if old != nil {
		source = old.header.Source
	}
	if refused := old.refuses(c.write, now); refused != backends.NotRefused {
		result := backends.Result{Refused: refused, Source: source}
		if old != nil {
			result.Version = old.header.Version
		}
		return result, nil
	}
	version, err := b.order.version()
	if err != nil {
		return backends.Result{}, err
	}
	h, forgetAt := headerOf(c.write, version, source, now)
	if err := txn.SetEntry(badgerEntry(c.stored, h, c.write.Entry.Value, forgetAt)); err != nil {
		return backends.Result{}, err
	}
	return backends.Result{Version: version, Source: h.Source}, nil
}

// blind reports whether w can be made without looking at the key.
func blind(w *backends.Write[[]byte], now time.Time) bool {
	return w.If == backends.Always && w.Source == 0 && !removes(w, now) && !late(w, now)
}

// find returns the record at the key, which is valid until the transaction ends, or nil
// if there is none. Bytes that are no record pass for an entry without versions: a
// condition does not hold for it, and other writes replace it.
func find(txn *badger.Txn, stored []byte) (found *record, err error) {
	item, err := txn.Get(stored)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil //nolint:nilnil // nothing is there
	}
	if err != nil {
		return nil, err
	}
	return found, item.Value(func(data []byte) error {
		r, err := decode(data)
		if err != nil {
			r = record{}
		}
		found = &r
		return nil
	})
}
