package badgerbackend

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
)

// Backend is a [backends.Backend] over a badger store. It is made by [Open],
// [OpenInMemory] or [New] and is safe for concurrent use.
//
// Every call looks at its context before it begins, and then runs to its end: badger
// offers no way to interrupt it. So a call may outlast its context, but never goes on
// after it has returned.
//
// Set returns when the entry is in the store's log, and Stage copies the value;
// neither keeps the caller's bytes. Get returns bytes that are the caller's. A
// nil value is read back as an empty one. Errors contain neither keys nor
// values.
type Backend struct {
	db        *badger.DB
	prefix    string
	limits    limits
	space     *space
	inProcess bool
	shutdown  func() error

	// calls is held for reading by every call. Close takes it for writing to
	// wait for those that have begun: badger must not be closed under them.
	calls  sync.RWMutex
	closed bool
}

var (
	_ backends.Backend[[]byte] = (*Backend)(nil)
	_ backends.Stager[[]byte]  = (*Backend)(nil)
	_ backends.Describer       = (*Backend)(nil)
)

// New returns a Backend over a store that the caller has opened and goes on owning:
// closing it, after the Backend, and collecting the garbage of its value log are the
// caller's. It does not touch other keys: when the store is shared, with another
// Backend for instance, give each user a prefix of its own by [WithKeyPrefix].
//
// It returns [ErrNilDB], [ErrManagedDB], or [backends.ErrClosed] for a closed store. The
// error wraps [ErrBadOption] when an option has an unusable value, or is one for
// opening a store.
func New(db *badger.DB, opts ...Option) (*Backend, error) {
	c := newConfig(opts)
	switch {
	case db == nil:
		return nil, ErrNilDB
	case db.IsClosed():
		return nil, backends.ErrClosed
	case managed(db):
		return nil, ErrManagedDB
	}
	if err := c.validate(true); err != nil {
		return nil, err
	}
	return newBackend(db, c, newSpace(c, db.Opts()), func() error { return nil }), nil
}

func newBackend(db *badger.DB, c config, space *space, shutdown func() error) *Backend {
	return &Backend{
		db:        db,
		prefix:    c.prefix,
		limits:    newLimits(db),
		space:     space,
		inProcess: db.Opts().InMemory,
		shutdown:  sync.OnceValue(shutdown),
	}
}

// managed reports whether db panics for want of a timestamp. Badger does not report it
// in any other way.
func managed(db *badger.DB) (yes bool) {
	defer func() { yes = recover() != nil }()
	db.NewTransaction(false).Discard()
	return false
}

// Get returns the entry at key, unless it has expired. A key that is empty or
// too long cannot have been stored and is a miss. Errors are a [*backends.DamagedError],
// a [*StoreError], [backends.ErrClosed], or wrap the context's.
func (b *Backend) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	if err := b.begin(ctx); err != nil {
		return backends.Entry[[]byte]{}, false, err
	}
	defer b.calls.RUnlock()
	stored, storable := b.storedKey(key)
	if !storable {
		return backends.Entry[[]byte]{}, false, nil
	}
	err = b.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(stored)
		if err != nil {
			return err
		}
		// A value that badger cannot read from its value log is none here, and
		// no error: decode notices it.
		return item.Value(func(data []byte) error {
			expiresAt, value, err := decode(data)
			if err == nil && !expired(expiresAt, time.Now()) {
				entry, ok = entryOf(expiresAt, value), true
			}
			return err
		})
	})
	if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
		return backends.Entry[[]byte]{}, false, readError(err)
	}
	return entry, ok, nil
}

// Set stores the entry at key, in place of any other. One that has expired
// already removes the other. Errors are those of [Backend.Stage] and
// [Backend.Delete].
func (b *Backend) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	set, err := b.Stage(ctx, key, entry)
	if err != nil {
		return err
	}
	return set(ctx)
}

// Delete removes the entry at key. A key that is empty or too long cannot have
// been stored, so there is nothing to do.
//
// Errors are a [*NoSpaceError], a [*StoreError], [backends.ErrClosed], or wrap the context's.
// They are certainly not applied, except for a StoreError whose NotApplied is
// false.
func (b *Backend) Delete(ctx context.Context, key string) error {
	stored, storable := b.storedKey(key)
	if !storable {
		if err := b.begin(ctx); err != nil {
			return err
		}
		b.calls.RUnlock()
		return nil
	}
	return b.remove(ctx, stored)
}

// Stage checks key and value against the limits of the store and the space on its
// disk, copies the value, and returns the function that writes it. Errors are
// [backends.ErrEmptyKey], a [*backends.TooLargeError], a [*NoSpaceError], [backends.ErrClosed], or wrap the
// context's; all are certainly not applied.
func (b *Backend) Stage(ctx context.Context, key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	if err := b.begin(ctx); err != nil {
		return nil, err
	}
	b.calls.RUnlock()
	if key == "" {
		return nil, backends.ErrEmptyKey
	}
	stored, _ := b.storedKey(key)
	if err := b.limits.check(stored, len(entry.Value)); err != nil {
		return nil, err
	}
	expiresAt := expiry.Encode(entry.ExpiresAt)
	if !expired(expiresAt, time.Now()) {
		if err := b.space.check("write", 0); err != nil {
			return nil, err
		}
	}
	data := encode(expiresAt, entry.Value)
	return func(ctx context.Context) error {
		if expired(expiresAt, time.Now()) {
			return b.remove(ctx, stored)
		}
		return b.update(ctx, "write", len(stored)+len(data), func(txn *badger.Txn) error {
			return txn.SetEntry(&badger.Entry{Key: stored, Value: data, ExpiresAt: nativeExpiry(expiresAt)})
		})
	}, nil
}

func (b *Backend) remove(ctx context.Context, stored []byte) error {
	return b.update(ctx, "delete", len(stored), func(txn *badger.Txn) error { return txn.Delete(stored) })
}

// Describe names the system "badger" and no server. A store on disk is not in
// the process, because its calls wait for the disk; one in memory is.
func (b *Backend) Describe() backends.Description {
	return backends.Description{System: "badger", InProcess: b.inProcess, Local: true}
}

// Close waits for the calls that have begun and makes all others return
// [backends.ErrClosed]. After [Open] it also stops the garbage collection and closes
// the store, which releases its folder; that may take as long as writing its memory to
// the disk. Further calls wait for the first and return the same.
func (b *Backend) Close() error {
	b.calls.Lock()
	b.closed = true
	b.calls.Unlock()
	return b.shutdown()
}

// begin takes calls for reading unless it returns an error.
func (b *Backend) begin(ctx context.Context) error {
	if ctx.Err() != nil {
		return endedError(ctx)
	}
	b.calls.RLock()
	if b.closed || b.db.IsClosed() {
		b.calls.RUnlock()
		return backends.ErrClosed
	}
	return nil
}

// update makes one change of about that size in a transaction of its own.
func (b *Backend) update(ctx context.Context, op string, size int, change func(txn *badger.Txn) error) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.space.check(op, size); err != nil {
		return err
	}
	refused := false
	err := b.db.Update(func(txn *badger.Txn) error {
		err := change(txn)
		refused = err != nil
		return err
	})
	if err != nil {
		return writeError(op, err, refused)
	}
	return nil
}
