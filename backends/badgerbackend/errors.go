package badgerbackend

import "errors"

var (
	// ErrInUse is wrapped by the error of [Open] when the folder is open
	// already, in this process or in another one.
	ErrInUse = errors.New("badgerbackend: the folder is in use")

	// ErrBadOption is wrapped by the errors of [Open] and [OpenInMemory] that name a
	// wrong option.
	ErrBadOption = errors.New("badgerbackend: bad option")

	// ErrExposed is wrapped by the error of [Open] when other users of the machine
	// could read the store, see [WithPermissionCheck].
	ErrExposed = errors.New("badgerbackend: others can read the folder")

	// ErrNilDB is returned by [New] when it was given no store.
	ErrNilDB = errors.New("badgerbackend: the store is nil: pass one made by badger.Open, or use Open")

	// ErrManagedDB is returned by [New] for a store in managed mode.
	ErrManagedDB = errors.New("badgerbackend: the store is in managed mode, " +
		"where the caller counts the versions: pass one made by badger.Open, not by badger.OpenManaged")
)
