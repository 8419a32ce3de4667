package tiercache

import (
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// These are errors of package tier, for callers that need nothing else from it.
var (
	// ErrClosed is returned, possibly wrapped, by all methods after [Cache.Close] was
	// called, except by Close itself.
	ErrClosed = tier.ErrClosed

	// ErrInvalid is wrapped by the errors of invalid arguments and options. No tier was
	// called.
	ErrInvalid = tier.ErrInvalid

	// ErrReentrant is wrapped by the error of a call that would wait for itself: a
	// [Loader] asks for the key that it loads, a backend writes the key that it is
	// asked to write, or any of them calls Close. The cache recognises such a call by
	// its context, so the loader, hook, policy or backend must pass on the context that
	// it was given.
	ErrReentrant = tier.ErrReentrant

	// ErrOverloaded is returned by [Cache.GetOrLoad] when the limit of [WithMaxLoads]
	// is reached.
	ErrOverloaded = tier.ErrOverloaded

	// ErrDiverged is wrapped by the error of [Cache.Update], [Cache.SetIfAbsent] or
	// [Cache.Repair] for a key whose tiers may differ since an earlier write, and could
	// not be repaired; and by the error of [Cache.Close], if such keys are left.
	ErrDiverged = tier.ErrDiverged

	// ErrNotFound is [backends.ErrNotFound]. A [Loader] returns it when there is no
	// value.
	ErrNotFound = backends.ErrNotFound

	// ErrOutdated is wrapped by the error of a read with [AtLeast] when the tiers have an
	// older version.
	ErrOutdated = tier.ErrOutdated

	// ErrUnsupported is wrapped by the error of a call that a tier of the cache cannot
	// serve: a conditional write where L2 issues no versions, for instance. Nothing
	// was changed.
	ErrUnsupported = tier.ErrUnsupported

	// ErrConflict is wrapped by the error of [Cache.Update] when other writers of the
	// key were faster too often. Nothing was changed.
	ErrConflict = tier.ErrConflict

	// ErrInconsistent is matched, by errors.Is, by the error of a write after which
	// the tiers may differ.
	ErrInconsistent = tier.ErrInconsistent
)

// LoadError is the error or the panic of a [Loader].
type LoadError = tier.LoadError

// Inconsistency is the argument of the hook; see [WithInconsistencyHook]. It names the
// cache and the key, and has the outcomes L1 and L2 and the Verdict: see
// [tier.Inconsistency].
type Inconsistency = tier.Inconsistency
