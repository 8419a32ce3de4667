package badgerbackend

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by every call of a [Backend] that was closed, or
	// whose badger store was. Nothing was applied.
	ErrClosed error = &refusedError{"badgerbackend: the backend is closed: open another one", "closed"}

	// ErrEmptyKey is returned by Set and Stage when the key is empty. Nothing
	// was applied.
	ErrEmptyKey error = &refusedError{"badgerbackend: the key is empty: badger cannot store that, use another", "empty_key"}

	// ErrInUse is wrapped by the error of [Open] when the folder is open
	// already, in this process or in another one.
	ErrInUse = errors.New("badgerbackend: the folder is in use")

	// ErrBadOption is wrapped by the errors of [Open] and [OpenInMemory] that
	// say what is wrong with which option.
	ErrBadOption = errors.New("badgerbackend: bad option")

	// ErrExposed is wrapped by the error of [Open] when other users of the machine
	// could read the store, see [WithPermissionCheck].
	ErrExposed = errors.New("badgerbackend: the folder lets in others")

	// ErrNilDB is returned by [New] when it was given no store.
	ErrNilDB = errors.New("badgerbackend: the store is nil: pass one made by badger.Open, or use Open")

	// ErrManagedDB is returned by [New] for a store in managed mode.
	ErrManagedDB = errors.New("badgerbackend: the store is in managed mode, " +
		"where the caller counts the versions: pass one made by badger.Open, not by badger.OpenManaged")
)

// refusedError is for what never reached badger.
type refusedError struct{ text, errorType string }

func (e *refusedError) Error() string     { return e.text }
func (e *refusedError) NotApplied() bool  { return true }
func (e *refusedError) ErrorType() string { return e.errorType }

// TooLargeError says that badger cannot store a key, a value, or the two
// together. It is returned by Set and Stage before anything is touched.
type TooLargeError struct {
	What string // "key", "value" or "entry"
	Size int64  // its length in bytes
	Max  int64  // what the store takes

	advice string
}

// Error gives both lengths and says what can be done.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("badgerbackend: the %s has %d bytes, and the store takes %d: %s", e.What, e.Size, e.Max, e.advice)
}

// NotApplied returns true: the store was not touched.
func (e *TooLargeError) NotApplied() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *TooLargeError) ErrorType() string { return "too_large" }

// DamagedError is an error of Get: what is stored at the key was not written by
// this package, or badger could not read it back. Writing or deleting the key
// mends it.
type DamagedError struct{ reason string }

// Error says what is wrong, without the stored bytes.
func (e *DamagedError) Error() string {
	return "badgerbackend: the stored bytes are " + e.reason + ": set or delete the key to get rid of them"
}

// ErrorType returns the value of the attribute error.type.
func (e *DamagedError) ErrorType() string { return "damaged" }
