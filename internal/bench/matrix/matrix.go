// Package matrix runs scripts of faults and interleavings against caches of several
// libraries, over tiers that obey the script, and reports the states of the tiers, the
// results of the callers, and the telemetry.
package matrix

import (
	"slices"
	"sync"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// Matrix is the outcome of all scripts with some libraries.
type Matrix struct {
	Drivers []driver.Driver
	Rows    []Row
}

// Row is the outcome of one script: a cell for each driver.
type Row struct {
	Scenario string
	Cells    []Cell
}

// Run runs all scripts. Those of different libraries run at the same time.
func Run(drivers []driver.Driver) (Matrix, error) {
	scripts := slices.Concat(faultScripts(), raceScripts(), lifeScripts())
	m := Matrix{Drivers: drivers, Rows: make([]Row, len(scripts))}
	for i, s := range scripts {
		m.Rows[i] = Row{Scenario: s.name, Cells: make([]Cell, len(drivers))}
	}
	errs := make([]error, len(drivers))
	var wg sync.WaitGroup
	for i, d := range drivers {
		wg.Go(func() {
			for j, s := range scripts {
				if m.Rows[j].Cells[i], errs[i] = runOne(d, s); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return Matrix{}, err
		}
	}
	return m, nil
}

func runOne(d driver.Driver, s script) (Cell, error) {
	if why := d.Missing(s.needs...); why != "" {
		return Cell{NA: why}, nil
	}
	f, err := newFixture(d, s)
	if err != nil {
		return Cell{}, err
	}
	defer f.cache.Close()
	a := s.run(f)
	f.heal()
	return newCell(d, f, a), nil
}
