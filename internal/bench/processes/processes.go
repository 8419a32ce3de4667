package processes

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Table is the outcome of all scenarios with some libraries.
type Table struct {
	Libraries []Library
	Rows      []Row
	Window    time.Duration
	Redis     string // its version
}

// Row is the outcome of one scenario: a cell for each library.
type Row struct {
	Scenario string
	Cells    []Cell
}

// atOnce is how many scenarios run at the same time, each with a server of its own. Few,
// because each has a reader that must not be kept waiting.
const atOnce = 6

// Run runs all scenarios. Each reader is watched for the window at most. The error wraps
// server.ErrMissing where there is no redis-server to run.
func Run(ctx context.Context, libraries []Library, window time.Duration) (Table, error) {
	all := scenarios()
	t := Table{Libraries: libraries, Rows: make([]Row, len(all)), Window: window}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var version sync.Once
	free := make(chan struct{}, atOnce)
	for i, s := range all {
		t.Rows[i] = Row{Scenario: s.name, Cells: make([]Cell, len(libraries))}
		for j, lib := range libraries {
			wg.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				if ctx.Err() != nil {
					return
				}
				cell, redis, err := runOne(ctx, lib, s, window)
				if err != nil {
					cancel(fmt.Errorf("%s: %s: %w", lib.Name, s.name, err))
					return
				}
				t.Rows[i].Cells[j] = cell
				if !cell.None {
					version.Do(func() { t.Redis = redis })
				}
			})
		}
	}
	wg.Wait()
	return t, context.Cause(ctx)
}

func runOne(ctx context.Context, lib Library, s scenario, window time.Duration) (c Cell, redis string, err error) {
	open := newFixture
	switch {
	case !s.cluster:
	case lib.clusters:
		open = newClusterFixture
	default:
		return Cell{None: true}, "", nil
	}
	f, err := open(ctx, lib)
	if err != nil {
		return Cell{}, "", err
	}
	defer f.close()
	before := f.b.told()
	if c, err = s.run(ctx, f, window); err != nil {
		return Cell{}, "", err
	}
	c.Told = f.b.told() - before
	return c, f.server.Version, nil
}
