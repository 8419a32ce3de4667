package tiercache

import (
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// These errors are those of package tier, for callers that need no more of it.
var (
	// ErrClosed is returned, possibly wrapped, by all methods after [Cache.Close] was
	// called, except by Close itself.
	ErrClosed = tier.ErrClosed

	// ErrInvalid is wrapped by errors that say what is wrong with an argument or an
	// option. Nothing was touched.
	ErrInvalid = tier.ErrInvalid

	// ErrReentrant is wrapped by the error of a call that would wait for the call that
	// it is made in: of a [Loader] that asks for the key that it loads, of a backend
	// that writes the key that it is asked to write, or of Close in any of them. The
	// cache knows that by the context, so the call must be made with the context that
	// the loader, hook, policy or backend was given.
	ErrReentrant = tier.ErrReentrant

	// ErrOverloaded is returned by [Cache.GetOrLoad] when as many loads are under way as
	// [WithMaxLoads] allows.
	ErrOverloaded = tier.ErrOverloaded

	// ErrNotFound is [backends.ErrNotFound], by which a [Loader] says that there is no
	// value.
	ErrNotFound = backends.ErrNotFound

	// ErrInconsistent is matched, by errors.Is, by the error of a write after which
	// the tiers may differ.
	ErrInconsistent = tier.ErrInconsistent
)

// LoadError is the error or the panic of a [Loader].
type LoadError = tier.LoadError

// Inconsistency is the argument of the hook; see [WithInconsistencyHook].
type Inconsistency = tier.Inconsistency
