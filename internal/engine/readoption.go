package engine

import (
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// ReadOption changes one read. It is a value and no function, so that a read without
// options, which is inlined, pays for nothing but a comparison (budget Get/hit=l1).
type ReadOption struct {
	mode    readMode
	version backends.Version // for atLeast
}

// readMode is which of its parts a read leaves out. 0: none.
type readMode uint8

const (
	skipL1 readMode = 1 << iota
	skipL2
	refresh // neither tier is asked, the loader is
	atLeast // L1 is left out unless it has the version that is asked for
)

// The options; see package tiercache.
var (
	SkipL1  = ReadOption{mode: skipL1}
	SkipL2  = ReadOption{mode: skipL2}
	Refresh = ReadOption{mode: refresh}
)

// AtLeast asks for an entry of the version, or of a later one.
func AtLeast(v backends.Version) ReadOption { return ReadOption{atLeast, v} }

// Errors of options.
var (
	errOptions   = fmt.Errorf("%w: SkipL1, SkipL2, Refresh and AtLeast exclude each other: pass one of them", tier.ErrInvalid)
	errAtLeast   = fmt.Errorf("%w: AtLeast is for Get and GetEntry: a loader knows no versions", tier.ErrInvalid)
	errNoAtLeast = fmt.Errorf("%w: AtLeast(0) asks for no version: pass that of an Entry", tier.ErrInvalid)
	errRefreshes = fmt.Errorf("%w: Refresh needs a loader: use it with GetOrLoad", tier.ErrInvalid)
)

// errOutdated is that of a read with AtLeast.
var errOutdated = fmt.Errorf("tiercache: get: %w", tier.ErrOutdated)

// modeOf returns the mode of the options, or the error of options that exclude each
// other.
func modeOf(opts []ReadOption) (mode readMode, err error) {
	for _, o := range opts {
		switch mode {
		case 0, o.mode:
			mode = o.mode
		default:
			if o.mode != 0 {
				return 0, errOptions
			}
		}
	}
	return mode, nil
}

// leastVersion returns the version that the options ask for; 0: any.
func (e *Engine[V]) leastVersion(mode readMode, opts []ReadOption) (least backends.Version, err error) {
	if mode != atLeast {
		return 0, nil
	}
	for _, o := range opts {
		if o.mode == atLeast {
			least = max(least, o.version)
		}
	}
	switch {
	case least == 0:
		return 0, errNoAtLeast
	case !e.l2.Versioned():
		return 0, errNoVersions
	default:
		return least, nil
	}
}

// tooOld reports whether the result is older than the version asked for: L2 has lost that
// one, or a replica has not got it yet. A key of which L2 knows nothing is a miss. A least
// of 0 asks for none.
func (r *result[V]) tooOld(least backends.Version) bool {
	switch {
	case least == 0, r.version == 0 && !r.found():
		return false
	default:
		return !r.version.Covers(least) && !r.replaced.Covers(least)
	}
}
