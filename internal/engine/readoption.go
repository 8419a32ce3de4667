package engine

import (
	"fmt"

	"github.com/tiercache/tiercache/tier"
)

// ReadOption changes one read. It is a value and no function, so that a read without
// options, which is inlined, pays for nothing but a comparison (budget Get/hit=l1).
type ReadOption struct{ mode readMode }

// readMode is which of its parts a read leaves out. 0: none.
type readMode uint8

const (
	skipL1 readMode = 1 << iota
	skipL2
	refresh // neither tier is asked, the loader is
)

// The options; see package tiercache.
var (
	SkipL1  = ReadOption{skipL1}
	SkipL2  = ReadOption{skipL2}
	Refresh = ReadOption{refresh}
)

// Errors of options.
var (
	errOptions   = fmt.Errorf("%w: SkipL1, SkipL2 and Refresh exclude each other: pass one of them", tier.ErrInvalid)
	errRefreshes = fmt.Errorf("%w: Refresh needs a loader: use it with GetOrLoad", tier.ErrInvalid)
)

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
