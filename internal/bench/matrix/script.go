package matrix

import (
	"slices"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// script is one scenario: what goes wrong, and in which order things happen.
type script struct {
	name  string
	needs []driver.Feature
	loads bool // the cache is used for loads, and L2 is empty
	short bool // entries expire after a second
	run   func(f *fixture) answer
}

// answer is what a script has seen, except for the state of the tiers.
type answer struct {
	// told is what the callers were told, of all writes together: nil or err.
	told error

	// note says more, for instance what a later Get returned.
	note string

	// dead are the values that an acknowledged write has replaced or removed, or
	// that were read or computed before it: no tier may hold them.
	dead []string
}

// Cell is the outcome of a script with one library.
type Cell struct {
	// NA says why the library cannot take part. Then the rest is empty.
	NA string

	L1, L2    string // what the tiers hold at the end; "none" for nothing
	Told      string // what the callers were told: "nil" or "err"
	Note      string // what else was seen
	Telemetry driver.Telemetry

	// Silent says that the tiers are left wrong, that every caller was told that
	// all is well, and that there was no event; see wrong.
	Silent bool
}

func newCell(d driver.Driver, f *fixture, a answer) Cell {
	c := Cell{Told: "nil", Note: a.note, Telemetry: f.cache.Telemetry()}
	c.L1, c.L2 = f.state()
	if a.told != nil {
		c.Told = "err"
	}
	c.Silent = a.told == nil && c.Telemetry.Events == 0 && wrong(d, c.L1, c.L2, a.dead)
	return c
}

// wrong is the definition of a divergence: L1 has a value that is not the one of
// L2, or a tier has a value that an acknowledged write did away with. That L1 has
// none is never wrong, because a reader then gets what L2 has.
//
// A library whose L2 gets only what L1 evicts may have another value in L1 by
// design. There, only what a reader would get can be wrong.
func wrong(d driver.Driver, l1, l2 string, dead []string) bool {
	if d.Victim {
		seen := l1
		if seen == none {
			seen = l2
		}
		return slices.Contains(dead, seen)
	}
	differ := l1 != none && l1 != l2
	return differ || slices.Contains(dead, l1) || slices.Contains(dead, l2)
}
