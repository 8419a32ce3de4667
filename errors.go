package tiercache

import (
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// The errors of package [tier], and [backends.ErrNotFound], for callers that need nothing else from
// those packages.
var (
	// ErrClosed is returned, possibly wrapped, by all methods after [Cache.Close] was
	// called, except by Close itself.
	ErrClosed = tier.ErrClosed

	// ErrInvalid is wrapped by the errors of invalid arguments and options. No tier was
	// called.
	ErrInvalid = tier.ErrInvalid

	// ErrReentrant is wrapped by the error of a call that would wait for itself: a [Loader] asks
	// for the key that it is loading, a backend writes the key that it is asked to write, or a
	// loader, hook, policy or backend calls Close. The cache recognises such a call by its context,
	// so each of them must pass on the context that it was given.
	ErrReentrant = tier.ErrReentrant

	// ErrOverloaded is returned by [Cache.GetOrLoad] when the limit of [WithMaxLoads]
	// is reached.
	ErrOverloaded = tier.ErrOverloaded

	// ErrDiverged is wrapped by the error of [Cache.Update], [Cache.SetIfAbsent] or [Cache.Repair]
	// if the tiers of the key may differ since an earlier write and could not be repaired, and by
	// the error of [Cache.Close] if such keys remain.
	ErrDiverged = tier.ErrDiverged

	// ErrNotFound is [backends.ErrNotFound]. A [Loader] returns it when there is no
	// value.
	ErrNotFound = backends.ErrNotFound

	// ErrOutdated is wrapped by the error of a read with [AtLeast] when the tiers have only an
	// older version.
	ErrOutdated = tier.ErrOutdated

	// ErrUnsupported is wrapped by the error of a call that a tier of the cache cannot
	// serve: a conditional write where L2 issues no versions, for instance. Nothing
	// was changed.
	ErrUnsupported = tier.ErrUnsupported

	// ErrConflict is wrapped by the error of [Cache.Update] or [Cache.SetIfAbsent] when other
	// writers changed the key during every attempt, and by that of an Update whose value is older
	// than L2's; see [WithSourceVersion]. Nothing was changed.
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
