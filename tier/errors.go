package tier

import (
	"errors"

	"github.com/tiercache/tiercache/internal/errtype"
)

// ErrClosed is returned, possibly wrapped, by all methods of a cache after its Close
// was called, except by Close itself.
var ErrClosed = errtype.New("closed", "tiercache: the cache is closed")

// ErrInvalid is wrapped by the errors of invalid arguments and options. No tier was
// called.
var ErrInvalid = errtype.New("invalid_argument", "tiercache: invalid argument")

// ErrReentrant is wrapped by the error of a call that would wait for itself: a loader
// asks for the key that it loads, for instance.
var ErrReentrant = errors.New("tiercache: the call would wait for itself")

// ErrOverloaded is returned by GetOrLoad when the cache's limit of loads is reached.
// Nothing was loaded.
var ErrOverloaded = errtype.New("overloaded", "tiercache: too many loads are under way")

// ErrSuperseded is the error of a conditional write that a tier refused: the tier holds something
// newer than the write, or something other than the writer expected.
var ErrSuperseded = errtype.New("superseded", "tiercache: the tier holds something newer")

// ErrConflict is wrapped by the error of an Update or SetIfAbsent when other writers changed the
// key during every attempt, and by that of an Update whose value has a lower source version than
// that in L2. Nothing was changed.
var ErrConflict = errtype.New("conflict", "tiercache: other writers changed the key first")

// ErrOutdated is wrapped by the error of a read that asked for a version that the tiers do not
// have: L2 has lost it, or a replica does not have it yet.
var ErrOutdated = errtype.New("outdated", "tiercache: the tiers have an older version than the one that was asked for")

// ErrUnsupported is wrapped by the error of a call that a tier of the cache cannot
// serve: a conditional write where L2 issues no versions, for instance. Nothing was
// changed.
var ErrUnsupported = errtype.New("unsupported", "tiercache: the cache's tiers cannot do this")

// ErrDiverged is wrapped by the error of an Update, SetIfAbsent or Repair if the tiers of the key
// may differ since an earlier write and could not be repaired, and by the error of Close if such
// keys remain.
var ErrDiverged = errtype.New("diverged", "tiercache: the tiers may differ since an earlier write, and are not repaired yet")

// ErrInconsistent is matched, by errors.Is, by a [*WriteError] after which the
// tiers may differ: the difference was neither ruled out nor resolved by
// compensation.
var ErrInconsistent = errors.New("tiercache: the tiers may differ")

// Error is the error of one call of a tier.
type Error struct {
	Tier   ID
	Call   string  // "set", "delete", "invalidate", "refill", "get" or "stage"
	Result Outcome // Failed, Unknown, Skipped or Superseded
	Err    error   // of the backend

	// Text replaces the text of Err where that would reveal the key.
	Text string
}

// Error names the tier, the call, its outcome and the backend's error.
func (e *Error) Error() string {
	text := e.Text
	if text == "" {
		text = e.Err.Error()
	}
	return e.Tier.String() + " " + e.Call + " " + e.Result.String() + ": " + text
}

// Unwrap returns the backend's error.
func (e *Error) Unwrap() error { return e.Err }

// Outcome returns the outcome of the call, for [OutcomeOf].
func (e *Error) Outcome() Outcome { return e.Result }

// ErrorType returns the value of the attribute error.type: an identifier such as
// "timeout" or "connection_refused". The backend's error can name itself by a
// method ErrorType() string; docs/error-types.md has the list and the rules.
func (e *Error) ErrorType() string { return errtype.Of(e.Err) }

// LoadError is the error or the panic of a loader. Its text does not quote the key.
type LoadError struct {
	Err  error
	Text string // of Err, without the key
}

// Error returns the loader's text.
func (e *LoadError) Error() string { return "tiercache: load: " + e.Text }

// Unwrap returns the loader's error.
func (e *LoadError) Unwrap() error { return e.Err }

// ErrorType returns the value of the attribute error.type.
func (e *LoadError) ErrorType() string { return errtype.Of(e.Err) }
