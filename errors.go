package tiercache

import (
	"errors"

	"github.com/tiercache/tiercache/writepolicy"
)

// ErrClosed is returned, possibly wrapped, by all methods after
// [Cache.Close] was called, except by Close itself.
var ErrClosed = errors.New("tiercache: the cache is closed")

// ErrInvalid is wrapped by the errors that say what is wrong with an argument or
// an option. Nothing was touched.
var ErrInvalid = errors.New("tiercache: invalid argument")

// ErrInconsistent is [writepolicy.ErrInconsistent]: errors.Is reports it for the
// error of a write after which the tiers may differ.
var ErrInconsistent = writepolicy.ErrInconsistent
