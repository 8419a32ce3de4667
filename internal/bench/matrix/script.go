package matrix

import (
	"slices"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// script is one scenario: the faults, and the order of events.
type script struct {
	name  string
	needs []driver.Feature
	loads bool // the cache is used for loads, and L2 is empty
	short bool // entries expire after a second
	run   func(f *fixture) answer

	versions bool // L2 issues versions, for those libraries that want them
}

// answer holds the results of a script, except for the state of the tiers.
type answer struct {
	// told is the result of all writes together: nil or err.
	told error

	// note says more, for instance the result of a later Get.
	note string

	// dead are the values that an acknowledged write has replaced or removed, or
	// that were read or computed before it: no tier may hold them.
	dead []string
}

// Cell is the outcome of a script with one library.
type Cell struct {
	// NA says why the library cannot take part. Then the rest is empty.
	NA string

	L1, L2    string // the values in the tiers at the end; "none" for nothing
	Told      string // the callers' results: "nil" or "err"
	Note      string // other results
	Telemetry driver.Telemetry

	// Silent says that the tiers are wrong at the end, that every caller got nil, and
	// that there was no event; see wrong.
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

// wrong is the definition of a divergence: L1 has a value that is not the one of L2, or
// a tier has a value that an acknowledged write did away with. An L1 without a value is
// never wrong, because a reader then gets the value of L2.
//
// A library whose L2 gets only what L1 evicts may have another value in L1 by design.
// There, only a reader's result can be wrong.
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
