package badgerbackend

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Backend is a [backends.Backend] over a badger store. It is made by [Open],
// [OpenInMemory] or [New] and is safe for concurrent use.
//
// Every call looks at its context before it begins, and then runs to its end: badger
// offers no way to interrupt it. So a call may outlast its context, but never goes on
// after it has returned.
//
// Set returns when the entry is in the store's log, and Stage copies the value;
// neither keeps the caller's bytes. Reads return bytes that are the caller's. A
// nil value is read back as an empty one. Errors contain neither keys nor
// values.
type Backend struct {
	db        *badger.DB
	prefix    string
	limits    limits
	space     *space
	order     *order
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

	_ backends.Versioned[[]byte] = (*Backend)(nil)
	_ backends.Batcher[[]byte]   = (*Backend)(nil)
	_ backends.Clocked           = (*Backend)(nil)
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
	order := acquireOrder(db)
	return &Backend{
		db:        db,
		prefix:    c.prefix,
		limits:    newLimits(db),
		space:     space,
		order:     order,
		inProcess: db.Opts().InMemory,
		shutdown: sync.OnceValue(func() error {
			order.release()
			return shutdown()
		}),
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
	entry, answer, err := b.GetIf(ctx, key, 0)
	return entry, answer.Found == backends.Hit, err
}

// Set stores the entry at key, in place of any other. One that has expired
// already removes the other. Errors are those of [Backend.Stage] and
// [Backend.Delete].
func (b *Backend) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	c, err := b.stage(ctx, &backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry})
	if err != nil {
		return err
	}
	_, err = b.apply(ctx, c)
	return err
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
	_, err := b.apply(ctx, change{write: &backends.Write[[]byte]{Key: key, Kind: tier.Delete}, stored: stored})
	return err
}

// Stage checks key and value against the limits of the store and the space on its
// disk, copies the value, and returns the function that writes it. Errors are
// [backends.ErrEmptyKey], a [*backends.TooLargeError], a [*NoSpaceError], [backends.ErrClosed], or wrap the
// context's; all are certainly not applied.
func (b *Backend) Stage(ctx context.Context, key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	w := &backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry}
	c, err := b.stage(ctx, w)
	if err != nil {
		return nil, err
	}
	w.Entry.Value = bytes.Clone(entry.Value)
	return func(ctx context.Context) error {
		_, err := b.apply(ctx, c)
		return err
	}, nil
}

// stage checks a Set.
func (b *Backend) stage(ctx context.Context, w *backends.Write[[]byte]) (change, error) {
	if err := b.begin(ctx); err != nil {
		return change{}, err
	}
	b.calls.RUnlock()
	c, err := b.check(w)
	if err == nil && !removes(w, time.Now()) {
		err = b.space.check("write", 0)
	}
	return c, err
}

// Describe names the system "badger" and no server. A store on disk is not in
// the process, because its calls wait for the disk; one in memory is. Entries have
// versions, deadlines are by this machine's clock, and batches are made in few
// transactions.
func (b *Backend) Describe() backends.Description {
	return backends.Description{
		System: "badger", InProcess: b.inProcess, Local: true,
		Abilities: backends.Abilities{Versions: true, Deadlines: true, Batches: true},
	}
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
	if ctx == nil {
		return backends.ErrNilContext
	}
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
