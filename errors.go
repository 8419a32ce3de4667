package tiercache

import "github.com/tiercache/tiercache/tier"

// These errors are those of package tier, for callers that need no more of it.
var (
	// ErrClosed is returned, possibly wrapped, by all methods after [Cache.Close] was
	// called, except by Close itself.
	ErrClosed = tier.ErrClosed

	// ErrInvalid is wrapped by errors that say what is wrong with an argument or an
	// option. Nothing was touched.
	ErrInvalid = tier.ErrInvalid

	// ErrInconsistent is matched, by errors.Is, by the error of a write after which
	// the tiers may differ.
	ErrInconsistent = tier.ErrInconsistent
)

// LoadError is the error or the panic of a [Loader].
type LoadError = tier.LoadError

// Inconsistency is the argument of the hook; see [WithInconsistencyHook].
type Inconsistency = tier.Inconsistency
