package badgerbackend

import (
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
)

// Write makes one change under the lock of its key, in a transaction. Errors are
// those of [Backend.Set], and those of [backends.Write.Check].
func (b *Backend) Write(ctx context.Context, w *backends.Write[[]byte]) (backends.Result, error) {
	c, err := b.check(w)
	if err != nil {
		return backends.Result{}, err
	}
	return b.apply(ctx, c)
}

// GetIf returns the entry at key, unless its version is have: then it copies no value.
// Errors are those of [Backend.Get].
func (b *Backend) GetIf(ctx context.Context, key string, have backends.Version) (
	entry backends.Entry[[]byte], answer backends.Answer, err error,
) {
	if err := b.begin(ctx); err != nil {
		return entry, answer, err
	}
	defer b.calls.RUnlock()
	stored, storable := b.storedKey(key)
	if !storable {
		return entry, answer, nil
	}
	b.order.await(stored)
	err = b.db.View(func(txn *badger.Txn) error {
		entry, answer, err = get(txn, stored, have)
		return err
	})
	if err != nil {
		return backends.Entry[[]byte]{}, backends.Answer{}, readError(err)
	}
	return entry, answer, nil
}

// StoreTime returns the time of this machine, by which the store decides.
func (b *Backend) StoreTime() (now time.Time, within time.Duration, ok bool) {
	return time.Now(), 0, true
}

// get reads the key in a transaction.
func get(txn *badger.Txn, stored []byte, have backends.Version) (
	entry backends.Entry[[]byte], answer backends.Answer, err error,
) {
	item, err := txn.Get(stored)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return entry, answer, nil
	}
	if err != nil {
		return entry, answer, err
	}
	// A value that badger cannot read from its value log is none here, and no error:
	// decode notices it.
	err = item.Value(func(data []byte) error {
		r, err := decode(data)
		switch {
		case err != nil:
			return err
		case !r.live(time.Now()):
			answer = r.answer(backends.Miss)
		case have != 0 && r.header.Version == have:
			answer = r.answer(backends.Unchanged)
		default:
			entry, answer = r.entry(), r.answer(backends.Hit)
		}
		return nil
	})
	return entry, answer, err
}
