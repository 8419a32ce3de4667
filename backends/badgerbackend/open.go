package badgerbackend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// The options of badger that differ from its defaults. Those are meant for a database
// that has the machine to itself: under writes they take three times as much memory,
// and gigabytes of address space for files.
//
// Most of the rest goes into compactions, which hold several tables at once, and twice
// when they compress them. Tables that are not compressed are read through the system's
// page cache and need no cache of badger's.
const (
	memTableSize     = 8 << 20  // bytes; badger: 64 MiB; smaller ones would not take a value of 1 MiB
	numMemTables     = 2        // waiting to be written out; badger: 5
	valueLogFileSize = 64 << 20 // bytes; badger: 1 GiB
	numCompactors    = 2        // goroutines; badger: 4
)

// Open opens the store in the folder dir, which is created if it does not exist
// and its parent folders with it. Only one process at a time, and one Backend in
// it, can have a folder open.
//
// Without options values are not compressed and may have 64 MiB less 36 bytes. An idle
// store takes about 12 MB of memory and one that is written to at full speed up to 400
// MB, most of it for compactions; the index of the entries on disk comes on top. A
// goroutine collects the garbage of the value log every 10 minutes. [Backend.Close]
// stops it and releases the folder.
//
// On Unix only the owner can read the store, see [WithPermissionCheck].
//
// The error wraps [ErrInUse] when the folder is open already, [ErrBadOption] when an
// option has an unusable value, and [ErrExposed] when other users of the machine could
// read the store. When badger finds that a store is damaged or encrypted with another
// key, it leaks two goroutines.
func Open(dir string, opts ...Option) (*Backend, error) {
	if dir == "" {
		return nil, errors.New("badgerbackend: no folder is given: name one, or use OpenInMemory")
	}
	// Badger does this too, but its error cannot be asked for the reason.
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, openError(dir, err)
	}
	return open(dir, false, opts)
}

// OpenInMemory opens an empty store that writes nothing to the disk and is lost when it
// is closed: for tests, and where a second tier in the process is wanted. Its memory
// grows with its entries. A value may have 1 MiB less 37 bytes. See [Open] for the
// rest.
func OpenInMemory(opts ...Option) (*Backend, error) {
	return open("", true, opts)
}

func open(dir string, inMemory bool, opts []Option) (*Backend, error) {
	c := newConfig(opts)
	badgerOpts, err := c.badgerOptions(dir, inMemory)
	if err != nil {
		return nil, err
	}
	guard := hasPermissions && !c.exposed && !badgerOpts.InMemory && !badgerOpts.ReadOnly
	if guard {
		if err := closeFolders(badgerOpts); err != nil {
			return nil, err
		}
	}
	space := newSpace(c, badgerOpts)
	if err := space.check("open", 0); err != nil {
		return nil, err
	}
	db, err := badger.Open(badgerOpts)
	if err != nil {
		return nil, openError(dir, err)
	}
	stopCollector := func() {}
	if c.gcInterval > 0 && !badgerOpts.InMemory && !badgerOpts.ReadOnly {
		stopCollector = startCollector(db, space, c.gcInterval, c.logger).close
	}
	return newBackend(db, c, space, func() error {
		stopCollector()
		err := closeStore(db)
		if guard {
			closeFilesAgain(badgerOpts)
		}
		return err
	}), nil
}

func (c config) badgerOptions(dir string, inMemory bool) (badger.Options, error) {
	if err := c.validate(false); err != nil {
		return badger.Options{}, err
	}
	o := badger.DefaultOptions(dir).
		WithMemTableSize(memTableSize).
		WithNumMemtables(numMemTables).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithValueLogFileSize(valueLogFileSize).
		WithNumCompactors(numCompactors).
		WithDetectConflicts(false). // keys that are written are locked, see order
		WithSyncWrites(c.syncWrites).
		WithLogger(badgerLogger{c.logger})
	for _, tune := range c.tune {
		o = tune(o)
	}
	o.Dir, o.InMemory = dir, inMemory
	switch {
	case inMemory:
		o.ValueDir = ""
	case o.ValueDir == "":
		o.ValueDir = dir
	}
	// Badger would look for a relative folder wherever the process goes.
	for _, dir := range []*string{&o.Dir, &o.ValueDir} {
		if *dir == "" {
			continue
		}
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return badger.Options{}, openError(*dir, err)
		}
		*dir = abs
	}
	return o, checkCaches(o)
}

// checkCaches finds settings that make badger panic, in part long after it was opened.
func checkCaches(o badger.Options) error {
	encrypted := len(o.EncryptionKey) > 0
	if o.BlockCacheSize <= 0 && (encrypted || o.Compression != options.None) {
		return fmt.Errorf("%w: BlockCacheSize is %d: with compression or encryption it must be positive",
			ErrBadOption, o.BlockCacheSize)
	}
	if o.IndexCacheSize <= 0 && encrypted {
		return fmt.Errorf("%w: IndexCacheSize is %d: with encryption it must be positive", ErrBadOption, o.IndexCacheSize)
	}
	return nil
}

func closeStore(db *badger.DB) error {
	if err := db.Close(); err != nil {
		return fmt.Errorf("badgerbackend: closing the store: %w", err)
	}
	return nil
}

// openError adds a remedy to an error of badger's Open. Badger drops the reason of a
// lock that is taken, so its text has to be searched; these words are in it on every
// system.
func openError(dir string, err error) error {
	if strings.Contains(err.Error(), "Another process is using this Badger database") {
		return fmt.Errorf("%w: %q is open in another process or in this one: "+
			"close it there, or give each a folder of its own: %w", ErrInUse, dir, err)
	}
	if dir == "" {
		return fmt.Errorf("badgerbackend: the store cannot be opened in memory: %w", err)
	}
	return fmt.Errorf("badgerbackend: the store in %q cannot be opened: check that it is a folder "+
		"with nothing but a badger store in it, and that this process may write to it: %w", dir, err)
}
