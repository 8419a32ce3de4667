package processes

import (
	"context"
	"time"
)

// Cell is the outcome of one scenario with one library.
type Cell struct {
	// Silent is for how long, after the change was acknowledged, reads began that
	// returned another value, without an error and without a flag. If Open, they still did
	// when the time was over.
	Silent time.Duration
	Open   bool

	None bool // the library has no cache there

	Flagged int // reads that returned another value with a flag
	Errors  int // reads that failed
	Told    int // log records of the reader that say that coherence was lost
}

// Bold reports whether the cell is worse than the bound that tiercache was given.
func (c Cell) Bold() bool { return c.Open || c.Silent > Bound }

// quiet is how long no stale value may be returned until the watch ends.
const quiet = 3 * time.Second

// watch reads until no stale value was returned for a while, or the window ends. Since is
// when the change was acknowledged. Repair, if any, is called once, after a time.
func (i *instance) watch(ctx context.Context, want string, since time.Time, window time.Duration, repairs ...repair) Cell {
	var c Cell
	last, end := time.Now(), since.Add(window)
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		now := time.Now()
		for len(repairs) > 0 && now.Sub(since) >= repairs[0].after {
			repairs[0].do()
			repairs, last = repairs[1:], now
		}
		if now.After(end) || len(repairs) == 0 && now.Sub(last) > quiet {
			c.Open = now.After(end) && end.Sub(since.Add(c.Silent)) < quiet
			return c
		}
		got, err := i.read(ctx)
		switch {
		case err != nil:
			c.Errors++
		case got.value == want:
		case got.flagged:
			c.Flagged++
		case now.After(since):
			c.Silent, last = now.Sub(since), now
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return c
		}
	}
}

// repair undoes a fault, some time after the change.
type repair struct {
	after time.Duration
	do    func()
}
